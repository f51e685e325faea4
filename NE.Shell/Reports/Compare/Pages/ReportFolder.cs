using System.Text;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.Reports.Compare.Figures;

namespace NE.Shell.Reports.Compare.Pages;

/// <summary>The folder of a report. What lies there is replaced only where an earlier report wrote it: its list of files says which.</summary>
internal static class ReportFolder
{
    /// <summary>The list of the files that belong to the report.</summary>
    public const string List = "report.json";

    private const int Format = 1;

    private static readonly UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Refuses a folder that holds something else. Reads only.</summary>
    /// <exception cref="UserError">It is a file, or has files that no report wrote.</exception>
    public static void Check(string folder)
    {
        if (File.Exists(folder))
        {
            throw new UserError($"-o {folder}: expected a folder, found a file; give another one");
        }

        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(Path.Combine(folder, List)))
        {
            throw new UserError($"-o {folder}: expected an empty folder or that of an earlier report, found files of others (there is no {List}); give another one");
        }
    }

    /// <summary>Writes a report in place of the one that was there. Returns the names of its files.</summary>
    /// <exception cref="UserError">A file of someone else has the name of one of these.</exception>
    public static IReadOnlyList<string> Write(string folder, ComparisonReport report)
    {
        Check(folder);
        Dictionary<string, string> files = Files(report);
        string[] before = Owned(folder);

        if (files.Keys.Except(before).FirstOrDefault(name => Path.Exists(Path.Combine(folder, name))) is { } foreign)
        {
            throw new UserError($"{Path.Combine(folder, foreign)} exists and was not written by a report, so it is not overwritten; move it away, or give another -o");
        }

        Directory.CreateDirectory(folder);
        // First the list with the old and the new names: whatever happens in between, nothing becomes ownerless.
        WriteList(folder, [.. before.Union(files.Keys)]);

        foreach (string name in before.Except(files.Keys))
        {
            File.Delete(Path.Combine(folder, name));
        }

        foreach ((string name, string text) in files)
        {
            File.WriteAllText(Path.Combine(folder, name), text, utf8);
        }

        WriteList(folder, [.. files.Keys]);
        return [.. files.Keys];
    }

    /// <summary>An SVG file: dark on white wherever it is shown.</summary>
    public static string Svg(Figure figure)
    {
        var root = new XElement(figure.Svg);
        XNamespace svg = root.Name.Namespace;
        root.SetAttributeValue("style", "color:#1b1b1b;background:#ffffff");
        root.AddFirst(new XElement(svg + "title", figure.Title), new XElement(svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("fill", "#ffffff")));
        var text = new StringBuilder();

        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { OmitXmlDeclaration = true, Indent = true, IndentChars = " ", NewLineChars = "\n" }))
        {
            root.Save(writer);
        }

        return text.Append('\n').ToString();
    }

    private static Dictionary<string, string> Files(ComparisonReport report)
    {
        var files = new Dictionary<string, string> { ["report.html"] = HtmlPage.Of(report), ["report.md"] = MarkdownPage.Of(report) };

        foreach (Figure figure in report.Figures)
        {
            files.Add(figure.Id + ".svg", Svg(figure));

            foreach (DataTable data in figure.Data)
            {
                files.Add(data.Name + ".csv", data.Csv());
            }
        }

        foreach (DataTable table in report.Tables.Prepend(report.Headline).Concat(report.Provenance))
        {
            files.Add(table.Name + ".md", table.Markdown());
            files.Add("table-" + table.Name + ".csv", table.Csv());
        }

        return files;
    }

    /// <summary>Names in the list of an earlier report; only plain names in the folder itself are believed.</summary>
    private static string[] Owned(string folder)
    {
        string file = Path.Combine(folder, List);

        if (!File.Exists(file))
        {
            return [];
        }

        try
        {
            Written? written = JsonSerializer.Deserialize<Written>(File.ReadAllBytes(file));
            return written is { Format: Format, Files: { } names }
                ? [.. names.Where(name => name == Path.GetFileName(name) && name is not ("" or "." or ".."))]
                : throw new JsonException("it has another layout");
        }
        catch (JsonException problem)
        {
            throw new UserError($"{file} is not the list of a report's files ({problem.Message}), so nothing there is overwritten; give another -o");
        }
    }

    private static void WriteList(string folder, string[] names) =>
        File.WriteAllBytes(Path.Combine(folder, List), JsonSerializer.SerializeToUtf8Bytes(new Written(Format, names)));

    private sealed record Written(int Format, string[] Files);
}
