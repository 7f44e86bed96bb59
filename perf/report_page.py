# SPDX-License-Identifier: BSD-3-Clause
"""The page of perf/report.py: a table a benchmark, each ratio drawn with its rounds on a scale that all share."""
import html
import math

WIDTH, HEIGHT, PAD = 250, 26, 18
LOW, HIGH = 0.125, 16  # of the scale; beyond: at its end
TICKS = (0.125, 0.25, 0.5, 1, 2, 4, 8, 16)
CSS = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--rule:#d0d7de;--band:#f6f8fa;--us:#0063a6;--them:#8f6400;
--bad:#a40e26}
@media(prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e4e8ec;--soft:#a0a9b3;--rule:#3b434c;--band:#1c2127;--us:#5ab0f0;
--them:#e8c15a;--bad:#ff8f9c}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--rule:#bbb;--band:#f4f4f4;--us:#0063a6;--them:#8f6400;--bad:#a40e26}
*{print-color-adjust:exact}@page{size:A4 landscape;margin:12mm}tr{break-inside:avoid}h2{break-after:avoid}}
body{margin:0 auto;padding:28px 24px 60px;max-width:1240px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,'Segoe UI','Liberation Sans',Arial,sans-serif}
h1{font-size:26px;margin:0}h2{font-size:19px;margin:36px 0 8px;padding-top:10px;border-top:2px solid var(--ink)}
p{max-width:80ch;margin:6px 0 12px}.soft,small{color:var(--soft)}.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:3px 7px;text-align:right;white-space:nowrap}td:first-child,th:first-child{text-align:left;white-space:normal;min-width:15em}
td.peer,th.peer{text-align:left;white-space:normal;min-width:8em}thead th{border-bottom:1px solid var(--ink);vertical-align:bottom}
tbody tr{border-bottom:1px solid var(--rule)}tbody tr:nth-child(even){background:var(--band)}
.facts{width:auto}.facts th{text-align:left}.facts td{text-align:left}b.fallen,tr.fallen td{color:var(--bad)}
svg{display:block}svg text{font:11px system-ui,Arial,sans-serif;fill:var(--soft);text-anchor:middle}
.axis{stroke:var(--rule)}.one{stroke:var(--soft);stroke-width:1.5}.round{fill:var(--us);opacity:.35}.ours{fill:var(--us)}
.span{stroke:var(--us);stroke-width:2}.was{stroke:var(--them);stroke-width:2.5}
"""


def at(ratio):
    part = math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return PAD + part * (WIDTH - 2 * PAD)


def axis():
    marks = ''.join(f'<text x="{at(t):.1f}" y="12">{t:g}</text><path class="axis" d="M{at(t):.1f} 15V20"/>' for t in TICKS)
    return f'<svg width="{WIDTH}" height="20" role="img" aria-label="scale of ratios">{marks}</svg>'


def strip(r):
    """A dot a round, the median as a diamond with its noise, the baseline as a bar."""
    grid = ''.join(f'<path class="{"one" if t == 1 else "axis"}" d="M{at(t):.1f} 0V{HEIGHT}"/>' for t in TICKS)
    middle, ratio, noise = HEIGHT / 2, r['ratio'], r.get('noise', 0)
    dots = ''.join(f'<circle class="round" cx="{at(v):.1f}" cy="{middle}" r="2.5"/>' for v in r.get('rounds', [])[:200])
    was = f'<path class="was" d="M{at(r["baseline"]):.1f} 4V{HEIGHT - 4}"/>' if 'baseline' in r else ''
    return (f'<svg class="strip" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="ratio {ratio:.2f}">{grid}{dots}{was}'
            f'<path class="span" d="M{at(max(ratio - noise, LOW)):.1f} {middle}H{at(ratio + noise):.1f}"/>'
            f'<path class="ours" d="M{at(ratio):.1f} {middle - 5}l5 5-5 5-5-5Z"><title>{ratio:.2f}</title></path></svg>')


def number(v):
    return '–' if v is None else f'{v:,.0f}' if abs(v) >= 1000 else f'{v:.4g}'


def row(r):
    name = html.escape(r['name'])
    if not r.get('ratio'):
        return f'<tr><td>{name}</td><td></td><td>–</td><td>–</td><td>–</td><td>{number(r["ours"])}</td>' \
               f'<td>{html.escape(r["unit"])}</td><td>–</td><td class="peer">no peer</td><td>–</td><td></td></tr>\n'
    away = f' ({r["discarded"]})' if r.get('discarded') else ''
    return (f'<tr class="{r.get("verdict", "")}"><td>{name}</td><td>{strip(r)}</td><td><b>{r["ratio"]:.2f}</b></td>'
            f'<td>{r["noise"]:.2f}</td><td>{number(r.get("baseline"))}</td><td>{number(r["ours"])}</td>'
            f'<td>{html.escape(r["unit"])}</td><td>{number(r.get("peer_value"))}</td><td class="peer">{html.escape(str(r["peer"]))}</td>'
            f'<td>{len(r["rounds"])}{away}</td><td>{r["verdict"]}</td></tr>\n')


def page(about, baseline):
    records = about['benchmarks']
    benches = list(dict.fromkeys(r['bench'] for r in records))
    with_ratio = [r for r in records if r.get('ratio')]
    with_peer = [r for r in with_ratio if not str(r['peer']).startswith('ourselves')]
    better = sum(r['ratio'] > 1 for r in with_peer)
    fallen = [r for r in with_ratio if r['verdict'] == 'fallen']
    facts = ''.join(f'<tr><th>{html.escape(k)}</th><td>{html.escape(str(v))}</td></tr>' for k, v in about['machine'].items())
    told = f'<b class="fallen">{len(fallen)} fallen</b>' if fallen else 'none has fallen'
    out = [f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Weir beside its peers</title><style>{CSS}</style></head>'
           f'<body><h1>Weir beside its peers</h1><p class="soft">{html.escape(about["created"])}</p>'
           f'<p>{len(records)} figures, {len(with_peer)} of them beside a peer in the same run: better in {better}. Against the '
           f'baseline of {html.escape(baseline.get("created", "no date"))}: {told}. {html.escape(baseline.get("note", ""))}</p>'
           f'<table class="facts"><tbody>{facts}<tr><th>load after</th><td>{html.escape(about["load_after"])}</td></tr></tbody></table>'
           '<p class="soft">A ratio above 1: Weir takes less (or does more) than the peer. Dots are rounds, the diamond their median, '
           'its line the noise (three standard errors), the upright bar the baseline. Rounds thrown away because a thread waited for '
           'its core stand in brackets.</p>']
    for bench in benches:
        rows = ''.join(row(r) for r in records if r['bench'] == bench)
        out.append(f'<h2>{html.escape(bench)}</h2><div class="wide"><table><thead><tr><th>what</th><th>{axis()}</th><th>ratio</th>'
                   f'<th>± noise</th><th>baseline</th><th>Weir</th><th>unit</th><th>peer</th><th class="peer">which</th><th>rounds</th><th></th>'
                   f'</tr></thead><tbody>{rows}</tbody></table></div>')
    return '\n'.join(out) + '</body></html>\n'


def write(path, about, baseline):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(page(about, baseline))
