"""The style sheet of the HTML report."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{--page:#f4f6f8;--card:#fff;--ink:#1a2330;--soft:#5b6878;--line:#dde3ea;
--baseline:#8494a8;--window:#2563c9;--good:#0f7b45;--bad:#b3261e;--unsure:#8a6100;
--good-soft:#e2f3ea;--bad-soft:#fbe9e7;--unsure-soft:#fbf1d9}
@media (prefers-color-scheme:dark){:root{--page:#11161d;--card:#1a212b;--ink:#e6ebf2;
--soft:#9aa7b8;--line:#2c3643;--baseline:#728298;--window:#6ea3f7;--good:#4cc38a;--bad:#ff8a80;
--unsure:#e5b95c;--good-soft:#15301f;--bad-soft:#3a1d1b;--unsure-soft:#332910}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:20px 16px 48px}
header,section{background:var(--card);border:1px solid var(--line);border-radius:12px;
padding:20px 22px;margin:0 0 16px}
header{border-top:5px solid var(--soft)}
header.good{border-top-color:var(--good)}
header.bad{border-top-color:var(--bad)}
header.unsure{border-top-color:var(--unsure)}
h1{font-size:26px;line-height:1.2;margin:2px 0 10px;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 10px}
h3{font-size:15px;margin:0;overflow-wrap:anywhere}
section>h3{margin:20px 0 4px}
p{margin:0 0 8px}
.eyebrow,.kind,.legend,.note{color:var(--soft);font-size:13px}
.eyebrow{margin:0}
.when{display:flex;flex-wrap:wrap;align-items:center;gap:8px;color:var(--soft)}
.summary{font-size:17px;max-width:75ch;margin:10px 0 0}
.badge,.chip{display:inline-block;border-radius:999px;font-weight:600;white-space:nowrap}
.badge{padding:3px 12px;color:#fff;background:var(--soft)}
.good .badge{background:var(--good)}.bad .badge{background:var(--bad)}
.unsure .badge{background:var(--unsure)}
@media (prefers-color-scheme:dark){.badge{color:#11161d}}
.chip{padding:0 9px;font-size:12px;line-height:20px;background:var(--unsure-soft);
color:var(--unsure)}
.chip.bad{background:var(--bad-soft);color:var(--bad)}
.chip.good{background:var(--good-soft);color:var(--good)}
.chip.calm{background:var(--page);color:var(--soft)}
.watched{display:flex;flex-wrap:wrap;gap:6px;margin:14px 0 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:10px;
margin:18px 0 0}
.tile{border:1px solid var(--line);border-radius:9px;padding:9px 13px}
.tile dt{color:var(--soft);font-size:12.5px}
.tile dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.findings{list-style:none;margin:0;padding:0}
.findings li{display:grid;grid-template-columns:78px 1fr;gap:12px;padding:9px 0;
border-top:1px solid var(--line)}
.findings li:first-child{border-top:0}
.findings p{margin:0;overflow-wrap:anywhere}
.findings.plain li{display:block}
.effect{justify-self:start;align-self:start;min-width:66px;padding:1px 8px;border-radius:7px;
background:var(--bad-soft);color:var(--bad);font-weight:600;text-align:center;
font-variant-numeric:tabular-nums}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:3px}
.legend{margin:0 0 12px}
.key{display:inline-block;width:18px;height:9px;margin-right:6px;border-radius:2px}
.key.window{margin-left:14px;background:var(--window)}
.key.baseline{background:var(--baseline)}
.key.ordinary{margin-left:14px;height:8px;border:solid var(--ink);border-width:0 1.5px;
border-radius:0;background:linear-gradient(var(--ink),var(--ink)) center/100% 1.5px no-repeat}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:14px;
align-items:start}
article{border:1px solid var(--line);border-radius:10px;padding:14px 15px;min-width:0;
scroll-margin-top:12px}
article:target{outline:2px solid var(--window)}
svg{display:block;width:100%;height:auto;margin:6px 0 10px}
svg text{fill:var(--ink);font-size:11.5px;font-family:inherit}
svg .value{fill:var(--soft)}
svg.strip,svg.plot{height:44px;margin:4px 0}svg.plot{height:150px}
svg.plot line,svg.plot polyline{vector-effect:non-scaling-stroke}
rect.good{fill:var(--good)}rect.bad{fill:var(--bad)}rect.unsure{fill:var(--unsure)}
.ends{display:flex;justify-content:space-between;color:var(--soft);font-size:12.5px}
rect.baseline{fill:var(--baseline)}rect.window{fill:var(--window)}
path.ordinary{fill:none;stroke:var(--ink);stroke-width:1.2}
rect.good{fill:var(--good)}rect.bad{fill:var(--bad)}rect.unsure{fill:var(--unsure)}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:13px}
th,td{padding:3px 0;text-align:left;font-weight:400;border-top:1px solid var(--line);
vertical-align:top}
thead th{color:var(--soft);border-top:0}
td+td,th+td,th+th{padding-left:12px}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td.n{white-space:nowrap}
tbody th{color:var(--soft)}
details{margin-top:8px;font-size:13px}
ul{margin:6px 0 0;padding-left:18px}
summary{cursor:pointer;color:var(--soft)}
.samples{padding-left:18px}
code{font:12px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.method{color:var(--soft);font-size:13.5px}
.method h2{color:var(--ink)}
@media (max-width:520px){main{padding:10px 8px 32px}header,section{padding:15px 14px}
h1{font-size:21px}.summary{font-size:15.5px}.findings li{grid-template-columns:1fr;gap:3px}
td.n{white-space:normal}
tbody th{overflow-wrap:anywhere;min-width:88px}}
@media print{body{background:#fff}details{display:none}article{break-inside:avoid}}
"""
