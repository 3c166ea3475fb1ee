"""How pages look: their colours, light and dark, on a phone and on paper."""

from __future__ import annotations

SERIES = 8
"""So many colours for series there are, `--c0` on; behind them they begin again."""

_LIGHT = """--ink: #1c2024; --dim: #5a5f67; --line: #d5d8dd; --page: #ffffff; --card: #f7f8fa;
  --c0: #2f66cf; --c1: #c2600c; --c2: #2a8450; --c3: #a3479f; --c4: #8d7205; --c5: #24819a;
  --c6: #b83a4b; --c7: #6a5acd; --good: #1b7040; --bad: #b3261e; --link: #1f57be;"""
_DARK = """--ink: #e6e8eb; --dim: #a4aab3; --line: #3a3f47; --page: #15171a; --card: #1c1f23;
  --c0: #7aa2f0; --c1: #f0a868; --c2: #76c795; --c3: #d98fda; --c4: #dcbd58; --c5: #7cc4d6;
  --c6: #f08a96; --c7: #aba1f5; --good: #6cc592; --bad: #f28b82; --link: #8ab4f8;"""

VARIABLES = f""":root {{ color-scheme: light dark; {_LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}"""
"""The colours by name, on a screen light or dark, on paper light."""

STYLE = f"""
{VARIABLES}
* {{ box-sizing: border-box; }}
body {{ font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: break-word; }}
a {{ color: var(--link); }}
h1 {{ font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }}
h2 {{ font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-top: 1px solid var(--line);
  padding-top: 1.25rem; }}
h3 {{ font-size: 1rem; margin: 1.5rem 0 .25rem; }}
nav ul {{ list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; }}
.dim, caption, summary, figcaption small {{ color: var(--dim); }}
.note {{ color: var(--dim); font-size: .85rem; margin: .25rem 0; max-width: 46rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; margin: .25rem 0; font-size: .9rem; }}
th, td {{ text-align: left; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }}
th {{ font-weight: 600; }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.pictures {{ columns: 26rem; column-gap: 1rem; margin: 1rem 0; }}
figure {{ margin: 0 0 1rem; break-inside: avoid; padding: .75rem; min-width: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }}
figcaption {{ font-weight: 600; font-size: .9rem; margin-bottom: .5rem; }}
figcaption small {{ font-weight: 400; display: block; }}
figure svg {{ width: 100%; height: auto; display: block; }}
.legend {{ display: flex; flex-wrap: wrap; gap: .1rem .9rem; list-style: none; padding: 0;
  margin: .5rem 0 0; font-size: .85rem; }}
.legend i {{ display: inline-block; width: .7rem; height: .7rem; margin-right: .35rem;
  border-radius: 2px; }}
details {{ margin: .5rem 0 0; }}
summary {{ cursor: pointer; font-size: .85rem; }}
.good {{ color: var(--good); }}
.bad {{ color: var(--bad); font-weight: 600; }}
@media (max-width: 40rem) {{
  body {{ padding: 1rem .75rem 3rem; }}
  th, td {{ padding-right: .6rem; }}
}}
@media print {{
  body {{ max-width: none; padding: 0; font-size: 10pt; }}
  tr {{ break-inside: avoid; }}
  h2, h3, figcaption {{ break-after: avoid; }}
  .pictures {{ columns: 2; }}
  .wide {{ overflow: visible; }}
  th, td {{ padding-right: .5rem; }}
  nav, details:not([open]) {{ display: none; }}
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
}}
"""
