/** The page's style sheet. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --muted: #57606a; --line: #d7dce2; --back: #fff; --raised: #f5f6f8; --focus: #1a66cc; --one: #1a66cc; --two: #b3420b; --good: #1a7f37; --warm: #9a6700; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --text: #e6e9ed; --muted: #98a2ae; --line: #333a43; --back: #15181c; --raised: #1d2126; --focus: #79b0ff; --one: #79b0ff; --two: #f0a060; --good: #57c26b; --warm: #e3b341; --bad: #ff7b72; } }
:root[data-theme=dark] { color-scheme: dark; --text: #e6e9ed; --muted: #98a2ae; --line: #333a43; --back: #15181c; --raised: #1d2126; --focus: #79b0ff; --one: #79b0ff; --two: #f0a060; --good: #57c26b; --warm: #e3b341; --bad: #ff7b72; }
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.45 system-ui, sans-serif; }
header { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; padding: 8px 16px; background: var(--back); border-bottom: 1px solid var(--line); }
h1 { font-size: 17px; margin: 0; }
h2 { font-size: 15px; margin: 0 0 8px; }
h3 { font-size: 14px; margin: 0; }
header p { margin: 0; color: var(--muted); }
.grow { flex: 1; }
.actions { display: flex; gap: 8px; margin-left: auto; }
label { display: inline-flex; gap: 6px; align-items: center; }
main > section, #outside { padding: 14px 16px; }
main > section + section { border-top: 1px solid var(--line); }
button, select, input { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 4px 10px; min-height: 32px; }
button { cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
button.strong { background: var(--focus); border-color: var(--focus); color: var(--back); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
#message { margin: 0; padding: 0 16px; }
#message:not(:empty) { padding: 6px 16px; background: var(--raised); border-bottom: 1px solid var(--line); }
#message[data-bad] { color: var(--bad); }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 236px), 1fr)); gap: 12px; }
figure { margin: 0; min-width: 0; border: 1px solid var(--line); border-radius: 8px; padding: 8px 10px; overflow: hidden; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 12px; align-content: start; min-height: 40px; color: var(--muted); font-size: 13px; }
figcaption b { color: var(--text); }
figcaption .series::before { content: ""; display: inline-block; width: 10px; height: 3px; margin-right: 5px; vertical-align: 3px; background: currentColor; }
figcaption .one { color: var(--one); }
figcaption .two { color: var(--two); }
#pools { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap: 12px; }
.pool { border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; min-width: 0; }
.pool > .head { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; }
.state { font-size: 12px; border: 1px solid currentColor; border-radius: 999px; padding: 0 8px; color: var(--good); }
.state[data-state=degraded], .state[data-state=starting] { color: var(--warm); }
.state[data-state=draining] { color: var(--muted); }
.facts { margin: 6px 0; color: var(--muted); font-size: 13px; }
.note { margin: 4px 0 0; color: var(--bad); font-size: 13px; overflow-wrap: anywhere; }
.note:empty { display: none; }
.gauge { display: grid; grid-template-columns: 64px 1fr auto; gap: 8px; align-items: center; font-size: 12px; color: var(--muted); }
meter { width: 100%; height: 10px; }
.threads { list-style: none; margin: 8px 0 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 220px), 1fr)); gap: 8px; }
.thread { border: 1px solid var(--line); border-radius: 6px; padding: 6px 8px; background: var(--raised); min-width: 0; }
.thread .head { display: flex; gap: 8px; align-items: center; }
.thread .head b { flex: 1; overflow-wrap: anywhere; }
.thread .gauge { grid-template-columns: 44px 1fr 42px; }
.thread .gauge span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.thread[data-away] { border-color: var(--bad); }
.thread button { min-height: 26px; padding: 0 7px; font-size: 12px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; font-weight: 600; color: var(--muted); }
td, th { padding: 4px 12px 4px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tr[data-old] td:first-child { color: var(--bad); font-weight: 700; }
.who { font-weight: 600; }
.why { color: var(--muted); display: block; }
#events { list-style: none; margin: 0; padding: 0; font-size: 13px; }
#events li { padding: 2px 0; overflow-wrap: anywhere; }
#events time { color: var(--muted); font-variant-numeric: tabular-nums; margin-right: 8px; }
#events [data-what=died] b, #events [data-what=overdue] b, #events [data-what=degraded] b, #events [data-what=not-recycled] b { color: var(--bad); }
dialog { border: 1px solid var(--line); border-radius: 10px; background: var(--back); color: var(--text); max-width: min(92vw, 460px); padding: 18px 20px; }
dialog::backdrop { background: #0008; }
dialog input { width: 70px; }
.buttons { display: flex; justify-content: flex-end; gap: 10px; margin-top: 14px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 14px; margin: 0; }
dd { margin: 0; }
kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; font: 12px ui-monospace, monospace; }
code { font: 13px ui-monospace, monospace; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: 1px 5px; }
[hidden] { display: none !important; }
body:has(#live[hidden]) header :is(label, #reload, #drain) { display: none; }
@media (max-width: 620px) {
  header, main > section, #outside { padding-left: 10px; padding-right: 10px; }
  header .grow { flex-basis: 100%; height: 0; }
  #exchanges thead { display: none; }
  #exchanges tr { display: block; padding: 6px 0; border-bottom: 1px solid var(--line); }
  #exchanges td { display: block; border: 0; padding: 0; text-align: left; }
}
@media (prefers-reduced-motion: no-preference) { meter { transition: opacity .2s; } }
`;
