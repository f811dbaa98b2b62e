/** The page without any data of the server. */
export const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sluice</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/uplot.css">
<link rel="stylesheet" href="/assets/style.css">
<script type="module" src="/assets/main.js"></script>
</head>
<body>
<header>
<h1>Sluice</h1>
<p id="server"></p>
<span class="grow"></span>
<label class="choice">Charts of <select id="scope"><option value="">all pools</option></select></label>
<button type="button" id="reload" accesskey="r">Reload</button>
<button type="button" id="drain">Drain</button>
<button type="button" id="theme" title="T">Light or dark</button>
<button type="button" id="keys" title="?">Keys</button>
</header>
<p id="message" role="status" aria-live="polite"></p>
<main id="live" hidden>
<section aria-labelledby="charts-title"><h2 id="charts-title">Load</h2><div id="charts"></div></section>
<section aria-labelledby="pools-title"><h2 id="pools-title">Pools and threads</h2><div id="pools"></div></section>
<section aria-labelledby="exchanges-title"><h2 id="exchanges-title">Exchanges in flight</h2>
<div class="wide"><table id="exchanges"><thead><tr><th class="number">Age</th><th>Request</th><th>State</th><th>Thread</th><th>Waits for</th></tr></thead><tbody></tbody></table></div>
</section>
<section aria-labelledby="events-title"><h2 id="events-title">Threads started, died, replaced</h2><ol id="events"></ol></section>
</main>
<section id="outside" hidden><h2>This page needs a link</h2>
<p>Run <code>sluice dashboard</code> on the machine of the server, as the user who runs it, and open the link that it prints. A link works once.</p></section>
<dialog id="ask" aria-labelledby="ask-title"><form method="dialog">
<h2 id="ask-title"></h2><p id="ask-text"></p>
<p id="ask-range" hidden><label>From <input type="number" id="ask-min" min="1" max="1024" inputmode="numeric"></label> <label>to <input type="number" id="ask-max" min="1" max="1024" inputmode="numeric"></label> threads</p>
<div class="buttons"><button value="no" id="ask-no">Cancel</button><button value="yes" id="ask-yes" class="strong">Yes</button></div>
</form></dialog>
<dialog id="help" aria-labelledby="help-title"><form method="dialog"><h2 id="help-title">Keys</h2>
<dl><dt><kbd>R</kbd></dt><dd>reload the server (asks first)</dd><dt><kbd>T</kbd></dt><dd>light or dark</dd><dt><kbd>P</kbd></dt><dd>pause and continue</dd><dt><kbd>?</kbd></dt><dd>these keys</dd><dt><kbd>Tab</kbd> <kbd>Enter</kbd></dt><dd>move between buttons, and press one</dd></dl>
<div class="buttons"><button>Close</button></div></form></dialog>
</body>
</html>
`;
