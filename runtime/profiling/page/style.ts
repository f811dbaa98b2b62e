/** The page's style sheet. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --muted: #5b6470; --line: #d7dce2; --back: #fff; --raised: #f5f6f8; --focus: #1a66cc; }
:root[data-theme=dark] { color-scheme: dark; --text: #e6e9ed; --muted: #98a2ae; --line: #333a43; --back: #15181c; --raised: #1d2126; --focus: #79b0ff; }
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 13px/1.4 system-ui, sans-serif; }
header { position: sticky; top: 0; z-index: 2; background: var(--back); border-bottom: 1px solid var(--line); padding: 8px 12px 0; }
h1 { font-size: 15px; margin: 0; display: inline; }
h2 { font-size: 13px; margin: 0; display: inline; }
.bar { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; margin-bottom: 6px; }
.bar p { margin: 0; color: var(--muted); }
.grow { flex: 1; }
button, input { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: 3px 8px; }
input[type=search] { width: 220px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 12px; color: var(--muted); padding-bottom: 4px; list-style: none; margin: 0; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 4px; vertical-align: -1px; }
#ruler { display: block; width: 100%; height: 20px; cursor: ew-resize; }
main { padding-bottom: 300px; }
section { border-bottom: 1px solid var(--line); }
.head { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; padding: 4px 12px; background: var(--raised); }
.head button { all: unset; cursor: pointer; font-weight: 700; }
.head button:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.head button::before { content: "▾ " / ""; }
.head button[aria-expanded=false]::before { content: "▸ " / ""; }
.fact { color: var(--muted); }
.note { color: #c2255c; }
section[data-folded] canvas { display: none; }
canvas { display: block; width: 100%; touch-action: none; }
section canvas { cursor: crosshair; }
#tip { position: fixed; z-index: 4; pointer-events: none; max-width: 560px; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: 5px 8px; box-shadow: 0 2px 8px #0003; white-space: pre-line; overflow-wrap: anywhere; }
#tip[hidden], dialog:not([open]) { display: none; }
aside { position: fixed; bottom: 0; left: 0; right: 0; z-index: 3; background: var(--back); border-top: 2px solid var(--line); height: 260px; overflow: auto; padding: 6px 12px; }
aside table { border-collapse: collapse; width: 100%; }
aside th { text-align: left; font-weight: 600; color: var(--muted); position: sticky; top: -6px; background: var(--back); }
aside td, aside th { padding: 1px 10px 1px 0; white-space: nowrap; }
aside td.number, aside th.number { text-align: right; font-variant-numeric: tabular-nums; }
aside td.place { color: var(--muted); width: 99%; overflow: hidden; text-overflow: ellipsis; max-width: 0; }
aside tr { cursor: pointer; }
aside tbody tr:hover { background: var(--raised); }
.own { font-weight: 700; }
dialog { color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 6px; }
kbd { font: 12px ui-monospace, monospace; border: 1px solid var(--line); border-radius: 3px; padding: 0 4px; }
dt { float: left; clear: left; width: 130px; }
ul.notes { margin: 0; padding: 4px 12px 4px 28px; color: var(--muted); }
@media print { header { position: static; } aside { position: static; height: auto; } }
`;
