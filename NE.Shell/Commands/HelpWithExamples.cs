using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace NE.Shell.Commands;

/// <summary>The library's help, followed by the verb's examples.</summary>
/// <param name="inner">The library's own help action.</param>
/// <param name="closing">Verb to the text that closes its help.</param>
internal sealed class HelpWithExamples(HelpAction inner, IReadOnlyDictionary<string, string> closing) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        // The width is fixed so that help is the same text everywhere.
        inner.MaxWidth = 120;
        inner.Invoke(parseResult);

        if (closing.TryGetValue(CommandLine.PathOf(parseResult.CommandResult), out string? text))
        {
            parseResult.InvocationConfiguration.Output.WriteLine(text);
        }

        return 0;
    }
}
