#include "transfer/html.h"

namespace graft {

std::string html_escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string html_table(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
                       const std::set<std::size_t>& numbers) {
  const auto opening = [&](const char* tag, std::size_t column) {
    return std::string("<") + tag + (numbers.contains(column) ? " class=\"number\">" : ">");
  };
  std::string text = "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>";
  for (std::size_t c = 0; c < headings.size(); ++c) text += opening("th", c) + headings[c] + "</th>";
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    text += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) text += opening("td", c) + row[c] + "</td>";
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string html_definitions(const std::vector<std::pair<std::string, std::string>>& entries, bool long_values) {
  std::string text = long_values ? "<dl class=\"long\">\n" : "<dl>\n";
  for (const auto& [key, value] : entries) {
    text.append("<div><dt>").append(key).append("</dt><dd>").append(value).append("</dd></div>\n");
  }
  return text + "</dl>\n";
}

const char* html_style() {
  return R"(
:root { color-scheme: light dark; --ink: #1a1c1f; --soft: #5b626b; --line: #d9dde2; --page: #ffffff; --card: #f6f7f9;
  --mark: #a33c00; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e7e9ec; --soft: #a3abb5; --line: #363b42; --page: #15171a; --card: #1e2125; --mark: #ff9d66; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1112px; margin: 0 auto; padding: 28px 16px 64px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 40px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 24px 0 4px; }
p, ul { max-width: 46rem; margin: 8px 0; }
ul { padding-left: 1.2rem; }
li { margin: 6px 0; }
.question { color: var(--soft); font-size: 1.05rem; overflow-wrap: anywhere; }
.short { background: var(--card); border-left: 4px solid var(--mark); border-radius: 4px; padding: 12px 16px; margin: 20px 0; }
.short p { margin: 6px 0; max-width: 60rem; font-size: 1.08rem; }
.short .why { color: var(--soft); font-size: .95rem; }
.warn { color: var(--mark); }
figure { margin: 16px 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption, .note { color: var(--soft); font-size: .9rem; max-width: 46rem; }
.keep { white-space: nowrap; }
.narrow { display: none; }
.scroll { overflow-x: auto; margin: 12px 0; border: 1px solid var(--line); border-radius: 4px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: 5px 10px; white-space: nowrap; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
td:last-child:not(.number) { white-space: normal; min-width: 9rem; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--page); }
thead th, thead th:first-child { background: var(--card); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td .below { color: var(--mark); font-weight: 600; }
.swatch { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .5em; }
code, pre, .hash { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .86rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 4px; padding: 10px 12px; overflow-x: auto; }
.hash { overflow-wrap: anywhere; }
dl { margin: 8px 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); gap: 0 32px; }
dl.long { grid-template-columns: 1fr; max-width: 52rem; }
dl div { display: flex; gap: 12px; justify-content: space-between; padding: 4px 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); white-space: nowrap; }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
details { margin: 12px 0; }
summary { cursor: pointer; font-weight: 600; }
@media screen and (max-width: 700px) { .wide { display: none; } .narrow { display: block; } h1 { font-size: 1.4rem; }
  th, td { padding: 5px 8px; } }
@page { margin: 14mm 12mm; }
@media print {
  html { font-size: 10pt; }
  body { font-size: 1rem; line-height: 1.4; }
  main { max-width: none; padding: 0; }
  h1, h2, h3, summary, thead { break-after: avoid; }
  h2 { margin-top: 20px; }
  figure, figure svg, tr, li, pre, .short, dl div { break-inside: avoid; }
  p, li { orphans: 3; widows: 3; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .short, thead th, pre, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .scroll { overflow: visible; border: 0; }
  table { font-size: 8pt; }
  th, td { padding: 2px 6px; }
  th:first-child, td:first-child { position: static; }
  td:last-child:not(.number) { min-width: 0; }
  .keep { white-space: normal; }
  details:not(.print):not([open]) { display: none; }
  details.print::details-content { content-visibility: visible; display: block; height: auto; }
}
)";
}

}  // namespace graft
