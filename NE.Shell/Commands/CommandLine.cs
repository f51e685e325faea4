using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NE.Model;
using NE.Shell.Host;

namespace NE.Shell.Commands;

/// <summary>What the command line meant.</summary>
public abstract record CommandLineResult
{
    /// <summary>A verb to execute.</summary>
    public sealed record Execute(Command Command) : CommandLineResult;

    /// <summary>Text to print: help or the version.</summary>
    public sealed record Print(string Text) : CommandLineResult;

    /// <summary>Everything that is wrong with the command line.</summary>
    public sealed record Wrong(IReadOnlyList<string> Problems, string Verb) : CommandLineResult;
}

/// <summary>Reads the command line into a <see cref="Command"/>.</summary>
public static class CommandLine
{
    /// <summary>More episodes or runs than this are a slip of the finger.</summary>
    private const int MostCount = 1_000_000;

    /// <summary>Parses without any effect.</summary>
    /// <param name="arguments">The process's arguments.</param>
    /// <param name="defaultRuns">Folder of the runs when `--runs` is not given.</param>
    public static CommandLineResult Parse(IReadOnlyList<string> arguments, string defaultRuns)
    {
        var grammar = new CommandGrammar();
        ParseResult parsed = grammar.Root.Parse(arguments.Count == 0 ? ["--help"] : arguments);
        string verb = PathOf(parsed.CommandResult);

        if (parsed.GetValue(grammar.Version))
        {
            return new CommandLineResult.Print(OwnVersion.Text + "\n");
        }

        if (parsed.Action is HelpWithExamples)
        {
            var output = new StringWriter { NewLine = "\n" };
            parsed.Invoke(new InvocationConfiguration { Output = output, Error = output });
            return new CommandLineResult.Print(output.ToString().TrimEnd() + "\n");
        }

        var problems = new List<string>();
        problems.AddRange(Unknown(parsed, verb));

        if (problems.Count == 0)
        {
            problems.AddRange(parsed.Errors.Select(error => Reworded(error, verb)));
        }

        Command? command = problems.Count == 0 ? grammar.Read(parsed, verb, defaultRuns, problems) : null;
        return command is null || problems.Count > 0
            ? new CommandLineResult.Wrong(problems.Distinct().ToList(), verb)
            : new CommandLineResult.Execute(command);
    }

    /// <summary>The verb with its parents, e.g. "config show"; empty for the root.</summary>
    internal static string PathOf(CommandResult result)
    {
        var names = new List<string>();

        for (CommandResult? at = result; at?.Parent is not null; at = at.Parent as CommandResult)
        {
            names.Insert(0, at.Command.Name);
        }

        return string.Join(' ', names);
    }

    /// <summary>Verbs and options that do not exist, each with the nearest that does.</summary>
    private static IEnumerable<string> Unknown(ParseResult parsed, string verb)
    {
        System.CommandLine.Command command = parsed.CommandResult.Command;

        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count > 0 && !parsed.UnmatchedTokens[0].StartsWith('-'))
        {
            string found = parsed.UnmatchedTokens[0];
            string[] known = [.. command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name)];
            yield return $"unknown verb '{$"{verb} {found}".Trim()}'{Hint(found, known, verb.Length > 0 ? verb + " " : "")}";
            yield break;
        }

        string[] options = [.. command.Options.Concat(Parents(parsed.CommandResult)).Where(option => !option.Hidden).Select(option => option.Name).Distinct()];
        // An argument takes any number of values, so the parser hands it misspelt options too.
        IEnumerable<string> tokens = parsed.UnmatchedTokens.Concat(
            command.Arguments.SelectMany(argument => parsed.GetResult(argument)?.Tokens.Select(token => token.Value) ?? []));

        foreach (string token in tokens.Where(token => token.Length > 1 && token[0] == '-').Distinct())
        {
            string name = token.Split('=', 2)[0];
            yield return $"unknown option '{name}'{Hint(name, options, "")}";
        }
    }

    private static IEnumerable<Option> Parents(CommandResult result)
    {
        for (var at = result.Parent as CommandResult; at is not null; at = at.Parent as CommandResult)
        {
            foreach (Option option in at.Command.Options.Where(option => option.Recursive))
            {
                yield return option;
            }
        }
    }

    private static string Hint(string found, IReadOnlyList<string> known, string prefix) =>
        Nearest.ranked(1, found, known).FirstOrDefault() is { } near
            ? $"; did you mean '{prefix}{near}'?"
            : $"; known: {string.Join(", ", known)}";

    private static string Reworded(ParseError error, string verb) => error.SymbolResult switch
    {
        OptionResult option when option.Tokens.Count == 0 => $"{option.Option.Name} expects a value: {option.Option.Name} {option.Option.HelpName ?? "VALUE"}",
        OptionResult option => $"{option.Option.Name} was given {option.Tokens.Count} times; it takes one value",
        ArgumentResult argument => $"`ne {verb}` expects {argument.Argument.Name}",
        CommandResult command when command.Command.Subcommands.Count > 0 =>
            $"`{$"ne {verb}".Trim()}` expects a verb: {string.Join(", ", command.Command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name))}",
        CommandResult command when command.Command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0) is { } argument
            && error.Message.StartsWith("Required", StringComparison.Ordinal) => $"`ne {verb}` expects {argument.Name}",
        _ => error.Message,
    };

    /// <summary>Reads how many of something are meant, at least <paramref name="least"/>; adds a problem and returns null otherwise.</summary>
    internal static int? Count(string text, string option, List<string> problems, int least = 1)
    {
        if (TryWhole(text, out long value) && value >= least && value <= MostCount)
        {
            return (int)value;
        }

        problems.Add($"{option} expects a whole number in [{least}, {MostCount}], found '{text}'");
        return null;
    }

    /// <summary>Reads a whole number of at least <paramref name="least"/>; adds a problem and returns null otherwise.</summary>
    internal static long? WholeNumber(string text, string option, long least, List<string> problems)
    {
        if (TryWhole(text, out long value) && value >= least)
        {
            return value;
        }

        problems.Add($"{option} expects a whole number >= {least}, found '{text}'");
        return null;
    }

    private static bool TryWhole(string text, out long value) =>
        long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
