using Spectre.Console;
using Spectre.Console.Rendering;

namespace NE.Shell.Host;

/// <summary>Tables and consoles as all verbs print them.</summary>
public static class Tables
{
    /// <summary>A console that writes to the host's output: colours only where a person looks at it.</summary>
    public static IAnsiConsole Console(ShellHost host)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = host.Interactive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = host.Interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = host.Interactive ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new AnsiConsoleOutput(host.Output),
        });
        console.Profile.Width = host.Width;
        return console;
    }

    /// <summary>Fits a console that a view is drawn on again and again to the terminal, which may have changed its size.</summary>
    internal static void FitTo(this IAnsiConsole console, ShellHost host) => console.Profile.Width = host.LiveWidth?.Invoke() ?? host.Width;

    /// <summary>
    /// A table without lines, its headings in capitals; columns whose name starts with '&gt;' are aligned to the right. Where it is wider than the
    /// terminal, its last column goes on in the next line: a label or a name is never cut.
    /// </summary>
    public static Table Create(params string[] columns)
    {
        Table table = new Table { Border = TableBorder.None, ShowRowSeparators = false }.HideHeaders();
        table.ShowHeaders = columns.Any(column => column.TrimStart('>').Length > 0);

        foreach ((int index, string column) in columns.Index())
        {
            var added = new TableColumn(new Text(column.TrimStart('>').ToUpperInvariant())) { NoWrap = index < columns.Length - 1, Padding = new Padding(0, 0, 2, 0) };
            table.AddColumn(column.StartsWith('>') ? added.RightAligned() : added);
        }

        return table;
    }

    /// <summary>Adds a row of plain text; markup characters have no meaning in it.</summary>
    public static void Add(this Table table, params string[] cells) => table.AddRow(cells.Select(cell => (IRenderable)new Text(cell)));

    /// <summary>Writes without the blanks that fill the last column.</summary>
    public static void Write(ShellHost host, params IRenderable[] parts)
    {
        if (host.Interactive)
        {
            IAnsiConsole console = Console(host);
            Array.ForEach(parts, console.Write);
            return;
        }

        var buffer = new StringWriter { NewLine = "\n" };
        IAnsiConsole plain = Console(host with { Output = buffer });
        Array.ForEach(parts, plain.Write);

        foreach (string line in buffer.ToString().TrimEnd().Split('\n'))
        {
            host.Output.Write(line.TrimEnd() + "\n");
        }
    }
}
