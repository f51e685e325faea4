using System.Net;
using System.Text;
using System.Xml.Linq;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.Reports.Compare.Figures;

namespace NE.Shell.Reports.Compare.Pages;

/// <summary>The report as one file that needs nothing else: no network, no script, no other file.</summary>
internal static class HtmlPage
{
    private const string Style = """
        :root { color-scheme: light dark; --text: #1b1b1b; --paper: #ffffff; --faint: #5c5c5c; --line: #cfcfcf; --box: #f4f4f4; --warn: #8a2c00; --warn-box: #fff1e6; }
        @media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --paper: #16181b; --faint: #a6a6a6; --line: #43474d; --box: #202327; --warn: #ffb38a; --warn-box: #3a2418; } }
        html { background: var(--paper); color: var(--text); font: 15px/1.5 Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif; }
        body { max-width: 1040px; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
        .table { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; } th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); }
        th { font-weight: 600; } td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; max-width: 26rem; }
        figure { margin: 1rem 0; } figure svg { width: 100%; height: auto; color: var(--text); } figcaption, .note { color: var(--faint); font-size: 13px; }
        .banner { border: 3px solid var(--warn); background: var(--warn-box); color: var(--warn); font-weight: 700; font-size: 1.1rem; padding: .6rem 1rem; }
        .warning { border-left: 4px solid var(--warn); background: var(--warn-box); padding: .4rem .8rem; margin: .5rem 0; }
        .provenance { border: 1px solid var(--line); background: var(--box); padding: 0 1rem 1rem; margin-top: 2.5rem; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; }
        @media print {
          :root { color-scheme: light; --text: #000000; --paper: #ffffff; --faint: #333333; --line: #999999; --box: #ffffff; --warn: #000000; --warn-box: #ffffff; }
          body { max-width: none; margin: 0; padding: 0; } html { font-size: 10pt; } figure, tr, .banner { break-inside: avoid; } h2, h3 { break-after: avoid; } .table { overflow: visible; } table { font-size: 8pt; }
        }
        """;

    public static string Of(ComparisonReport report)
    {
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append("<title>").Append(Text(report.Title)).Append("</title>\n<style>\n").Append(Style).Append("\n</style>\n</head>\n<body>\n<h1>")
            .Append(Text(report.Title)).Append("</h1>\n");

        foreach (string warning in report.Warnings)
        {
            bool isBanner = warning.StartsWith(ComparisonReport.SmokeBanner, StringComparison.Ordinal);
            page.Append("<p class=\"").Append(isBanner ? "banner" : "warning").Append("\">").Append(Text(warning)).Append("</p>\n");
        }

        foreach (DataTable table in report.Tables.Prepend(report.Headline))
        {
            Append(page, table, "h2");
        }

        foreach (Figure figure in report.Figures)
        {
            page.Append("<h2>").Append(Text(figure.Title)).Append("</h2>\n<figure id=\"").Append(figure.Id).Append("\">\n").Append(Inline(figure)).Append("\n<figcaption>")
                .Append(Text(figure.Caption)).Append(" Data: ").Append(Text(string.Join(", ", figure.Data.Select(data => data.Name + ".csv")))).Append(".</figcaption>\n</figure>\n");
        }

        page.Append("<section class=\"provenance\">\n<h2>Provenance</h2>\n<div class=\"table\"><table>\n");

        foreach ((string name, string value) in report.Facts)
        {
            page.Append("<tr><th>").Append(Text(name)).Append("</th><td>").Append(Text(value)).Append("</td></tr>\n");
        }

        page.Append("</table></div>\n");

        foreach (DataTable table in report.Provenance)
        {
            Append(page, table, "h3");
        }

        foreach ((string name, string text) in report.Sweeps)
        {
            page.Append("<h3>Sweep ").Append(Text(name)).Append("</h3>\n<pre>").Append(Text(text)).Append("</pre>\n");
        }

        return page.Append("</section>\n</body>\n</html>\n").ToString();
    }

    /// <summary>Inside HTML an SVG needs no name space.</summary>
    private static string Inline(Figure figure)
    {
        var copy = new XElement(figure.Svg);

        foreach (XElement element in copy.DescendantsAndSelf())
        {
            element.Name = element.Name.LocalName;
            element.Attributes().Where(attribute => attribute.IsNamespaceDeclaration).Remove();
        }

        copy.SetAttributeValue("aria-label", figure.Title);
        return copy.ToString(SaveOptions.DisableFormatting);
    }

    private static void Append(StringBuilder page, DataTable table, string heading)
    {
        page.Append('<').Append(heading).Append('>').Append(Text(table.Title)).Append("</").Append(heading).Append(">\n<div class=\"table\"><table>\n<thead><tr>");

        foreach (string column in table.Columns)
        {
            page.Append("<th>").Append(Text(column)).Append("</th>");
        }

        page.Append("</tr></thead>\n<tbody>\n");

        foreach (string[] row in table.Rows)
        {
            page.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Text(cell)}</td>")).Append("</tr>\n");
        }

        page.Append("</tbody>\n</table></div>\n");

        if (table.Note is { } note)
        {
            page.Append("<p class=\"note\">").Append(Text(note)).Append("</p>\n");
        }
    }

    private static string Text(string text) => WebUtility.HtmlEncode(ReportText.Valid(text));
}
