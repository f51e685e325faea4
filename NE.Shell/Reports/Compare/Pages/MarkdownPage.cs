using System.Text;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.Reports.Compare.Figures;

namespace NE.Shell.Reports.Compare.Pages;

/// <summary>The report as Markdown, with its figures as files beside it.</summary>
internal static class MarkdownPage
{
    public static string Of(ComparisonReport report)
    {
        var page = new StringBuilder($"# {report.Title}\n");

        foreach (string warning in report.Warnings)
        {
            page.Append($"\n**{warning}**\n");
        }

        foreach (DataTable table in report.Tables.Prepend(report.Headline))
        {
            Append(page, table, "##");
        }

        foreach (Figure figure in report.Figures)
        {
            page.Append($"\n## {figure.Title}\n\n![{figure.Title}]({figure.Id}.svg)\n\n{figure.Caption} Data: {string.Join(", ", figure.Data.Select(data => $"[{data.Name}.csv]({data.Name}.csv)"))}.\n");
        }

        page.Append("\n## Provenance\n\n");

        foreach ((string name, string value) in report.Facts)
        {
            page.Append($"- {name}: {value}\n");
        }

        foreach (DataTable table in report.Provenance)
        {
            Append(page, table, "###");
        }

        foreach ((string name, string text) in report.Sweeps)
        {
            page.Append($"\n### Sweep {name}\n\n```yaml\n{text.TrimEnd()}\n```\n");
        }

        return page.ToString();
    }

    private static void Append(StringBuilder page, DataTable table, string heading)
    {
        page.Append($"\n{heading} {table.Title}\n\n{table.Markdown()}");

        if (table.Note is { } note)
        {
            page.Append($"\n{note}\n");
        }
    }
}
