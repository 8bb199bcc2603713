# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The style sheet of the page: two themes, a phone's width, paper."""

from __future__ import annotations

_LIGHT = """
  --back: #ffffff; --raised: #f4f6f8; --text: #1a2027; --soft: #4d5965; --rule: #c9d1d9; --link: #0b57a4;
  --current: #2e7d32; --behind: #b26a00; --failing: #c62828; --refusing: #ad1457; --silent: #6d4c41;
  --never_seen: #546e7a; --switched_off: #5e35b1; --roaming: #0277bd; --plain: #3f74a8; --over: #1a2027;
"""
_DARK = """
  --back: #12161b; --raised: #1c232b; --text: #e8edf2; --soft: #a9b6c2; --rule: #3a4552; --link: #8cc4ff;
  --current: #66bb6a; --behind: #ffb74d; --failing: #ef5350; --refusing: #f06292; --silent: #bcaaa4;
  --never_seen: #90a4ae; --switched_off: #b39ddb; --roaming: #4fc3f7; --plain: #7fb0e0; --over: #ffffff;
"""
_STATES = ("current", "behind", "failing", "refusing", "silent", "never_seen", "switched_off", "roaming")
_COLORS = "".join(f".{name}{{fill:var(--{name})}}.dot.{name}{{background:var(--{name})}}" for name in _STATES)

STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {_DARK} }} }}
:root[data-theme=light] {{ color-scheme: light; }}
:root[data-theme=dark] {{ color-scheme: dark; {_DARK} }}
{_COLORS}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--back); color: var(--text); font: 16px/1.45 system-ui, sans-serif; }}
header, main {{ max-width: 76rem; margin: 0 auto; padding: 0 1rem; }}
header {{ display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; padding-top: .75rem; }}
h1 {{ font-size: 1.3rem; margin: 0; flex: 1 1 18rem; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--rule); }}
h3 {{ font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }}
p, ul, ol, dl, figure {{ margin: .4rem 0; }}
a {{ color: var(--link); }}
nav {{ display: flex; flex-wrap: wrap; gap: .1rem .8rem; order: 3; flex-basis: 100%; font-size: .9rem; }}
nav a {{ padding: .15rem 0; }}
.skip {{ position: absolute; left: -99rem; }}
.skip:focus {{ left: 1rem; top: .5rem; background: var(--back); padding: .5rem; z-index: 2; }}
:focus-visible {{ outline: 3px solid var(--link); outline-offset: 1px; }}
button, input, select {{ font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--soft);
  border-radius: .25rem; padding: .25rem .5rem; max-width: 100%; }}
button {{ cursor: pointer; }}
button:disabled {{ color: var(--soft); border-color: var(--rule); cursor: default; }}
.asof, .share, .axis, caption, .missing, .way {{ color: var(--soft); font-size: .9rem; }}
.tiles {{ list-style: none; padding: 0; display: grid; gap: .6rem;
  grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }}
.tiles li {{ background: var(--raised); border: 1px solid var(--rule); border-radius: .4rem; padding: .6rem .8rem; }}
.tiles a {{ display: block; color: inherit; text-decoration: none; }}
.tiles a:hover .big, .tiles a:focus .big {{ text-decoration: underline; }}
.big {{ display: block; font-size: 2.1rem; line-height: 1.1; font-weight: 650; }}
.others {{ list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }}
#today {{ margin-bottom: .5rem; }}
#today h2, #trend h2 {{ margin-top: 1rem; }}
#today li {{ margin: .25rem 0; overflow-wrap: anywhere; }}
@media (min-width: 62rem) {{ .first {{ display: grid; grid-template-columns: 3fr 2fr; gap: 0 2rem; }} }}
.first section {{ min-width: 0; }}
#today ul {{ margin: 0; padding-left: 1.2rem; }}
.alarm {{ border-left: .3rem solid var(--failing); padding-left: .5rem; }}
.who {{ white-space: nowrap; font-weight: 600; }}
.swatch {{ white-space: nowrap; }}
.mark {{ width: .7em; height: .7em; margin-right: .35em; stroke: var(--text); stroke-width: .5; }}
.dot {{ display: inline-block; width: .65em; height: .65em; margin-right: .4em; border: 1px solid var(--text); }}
.legend {{ display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .9rem; }}
figcaption {{ font-weight: 600; }}
.plot {{ display: block; width: 100%; height: 9rem; background: var(--raised); border-bottom: 1px solid var(--soft); }}
.axis {{ display: flex; justify-content: space-between; gap: 1rem; }}
.bar {{ display: block; width: 100%; min-width: 5rem; height: .8rem; }}
.plain, .flight, .real {{ fill: var(--plain); }}
.line {{ fill: none; stroke: var(--over); stroke-width: 2; vector-effect: non-scaling-stroke; }}
.line.cap, .line.all {{ stroke: var(--failing); stroke-dasharray: 6 4; }}
.mark.cap, .mark.all {{ fill: var(--failing); }}
.mark.planned {{ fill: var(--over); }}
.rings {{ list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .6rem; }}
.rings li {{ flex: 1 1 15rem; max-width: 30rem; background: var(--raised); border: 1px solid var(--rule);
  border-radius: .4rem; padding: .6rem .8rem; min-width: 0; }}
.rings h4 {{ margin: 0 0 .3rem; display: flex; justify-content: space-between; gap: .5rem; overflow-wrap: anywhere; }}
.rings p, .stops li {{ overflow-wrap: anywhere; }}
.stops {{ list-style: none; padding: 0; }}
.stops li {{ margin: .4rem 0; }}
.decisions {{ list-style: none; padding: 0; }}
.decisions li {{ margin: .15rem 0; padding-left: 1rem; text-indent: -1rem; overflow-wrap: anywhere; }}
code {{ font-family: ui-monospace, monospace; font-size: .9em; background: var(--raised); padding: .05rem .25rem;
  border-radius: .2rem; overflow-wrap: anywhere; }}
.cards {{ display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }}
.cards article {{ background: var(--back); border: 1px solid var(--rule); border-radius: .4rem; padding: .8rem;
  min-width: 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: .92rem; }}
caption {{ text-align: left; }}
th, td {{ text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid; }}
th, td {{ border-color: var(--rule); }}
thead th {{ font-weight: 600; }}
tbody th {{ font-weight: 500; overflow-wrap: anywhere; }}
.none, .unknown {{ color: var(--soft); }}
.number, .seconds, .days {{ text-align: right; font-variant-numeric: tabular-nums; }}
.instant {{ white-space: nowrap; }}
.missing {{ list-style: none; padding: 0; }}
details {{ margin: .4rem 0; }}
summary {{ cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }}
dt {{ font-family: ui-monospace, monospace; }}
dd {{ margin: 0; }}
.tools {{ display: flex; flex-wrap: wrap; gap: .5rem .8rem; align-items: end; }}
.tools label span {{ display: block; font-size: .85rem; color: var(--soft); }}
#columns {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .1rem .8rem; }}
.pages {{ display: flex; gap: .8rem; align-items: center; margin: .5rem 0 2rem; }}
#table thead button {{ background: none; border: 0; padding: .2rem 0; font-weight: 600; text-align: left; }}
#table th[aria-sort=ascending] button::after {{ content: " \\2191"; }}
#table th[aria-sort=descending] button::after {{ content: " \\2193"; }}
#table .filters input {{ width: 100%; min-width: 5rem; padding: .1rem .3rem; }}
#table td.text {{ overflow-wrap: anywhere; min-width: 6rem; }}
#table tbody th {{ min-width: 11rem; }}
#table td.long {{ min-width: 16rem; }}
#table thead th {{ white-space: nowrap; }}
@media (max-width: 40rem) {{
  body {{ font-size: 15px; }}
  .tiles {{ grid-template-columns: 1fr 1fr; }}
  .big {{ font-size: 1.7rem; }}
  .plot {{ height: 7rem; }}
}}
@media print {{
  :root, :root[data-theme=dark] {{ color-scheme: light; {_LIGHT} }}
  body {{ font-size: 10pt; }}
  nav, .skip, #theme, .tools, .pages, #live details, .filters {{ display: none; }}
  .wide {{ overflow: visible; }}
  article, figure, tr {{ break-inside: avoid; }}
  .plot, .bar, .mark, .dot {{ print-color-adjust: exact; }}
  a {{ color: inherit; text-decoration: none; }}
}}
"""
