using System.CommandLine;
using System.CommandLine.Parsing;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Tasks;
using NE.Shell.Configuration;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Commands;

/// <summary>What can follow on a command line that is being typed.</summary>
internal static class Completion
{
    /// <summary>Shells for which there is a script.</summary>
    public static readonly string[] Shells = ["bash", "zsh", "fish"];

    /// <summary>What a shell reads to ask this program; a line such as `source &lt;(ne completion bash)` in its start file does.</summary>
    /// <param name="shell">One of <see cref="Shells"/>.</param>
    public static string Script(string shell) => shell switch
    {
        // Without the colon and the equals sign among its word breaks bash would complete the end of cycle:A,B and key=value alone. The words are read one
        // by one, since `compgen -W` evaluates what it is given, and names of folders are other people's.
        "bash" => """
            _ne() {
                COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]/}
                local found
                COMPREPLY=()
                while IFS= read -r found; do
                    [[ $found == "${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$found")
                done < <("$1" complete "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
                [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
                return 0
            }
            complete -o default -F _ne ne ./ne

            """,
        "zsh" => """
            #compdef ne
            _ne() {
                local -a found=("${(@f)$(${words[1]} complete "$BUFFER[1,$CURSOR]" 2>/dev/null)}")
                compadd -S '' -- ${(M)found:#*=}
                compadd -- ${found:#*=}
                _files
            }
            compdef _ne ne ./ne

            """,
        _ => """
            complete -c ne -f -a '(ne complete (commandline -cp) 2>/dev/null)'

            """,
    };

    /// <summary>The words that can stand where a line ends, each once.</summary>
    /// <param name="line">Up to the cursor, with the program's own name.</param>
    /// <param name="defaultRuns">Folder of the runs when the line names none.</param>
    public static IReadOnlyList<string> Of(string line, string defaultRuns)
    {
        string[] words = [.. CommandLineParser.SplitCommandLine(line)];
        bool isNew = line.Length == 0 || char.IsWhiteSpace(line[^1]);
        string word = isNew ? "" : words.LastOrDefault("");
        string[] before = [.. isNew ? words.Skip(1) : words.Skip(1).SkipLast(1)];
        var grammar = new CommandGrammar();
        ParseResult parsed = grammar.Root.Parse([.. before, word]);
        string runs = RunsOf(before) ?? defaultRuns;
        IEnumerable<string> fitting = before.LastOrDefault() is { } option && ValuesOf(option, parsed.CommandResult.Command.Name, runs) is { } values ? values
            : word.StartsWith('-') ? parsed.GetCompletions().Select(item => item.Label).Where(label => label.StartsWith('-'))
            : parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Any(before.Contains) ? []
            : Words(parsed.CommandResult.Command, runs);
        return [.. fitting.Where(found => found.StartsWith(word, StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Verbs under this one, and what its arguments can be.</summary>
    private static IEnumerable<string> Words(System.CommandLine.Command verb, string runs) => verb.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name)
        .Concat(verb.Arguments.SelectMany(argument => argument.Name switch
        {
            "ENV" or "ID" => Registry.ids,
            "key=value" => SettingsModule.keys.Select(key => $"{key.Name}="),
            "NAME" => RunFolder.List(runs).Concat(verb.Name is "status" or "report" or "serve" or "verify" or "archive" or "prune" ? SweepPaths.List(runs) : []),
            "FILE|PRESET" => SweepPresets.Names,
            "SHELL" => Shells,
            _ => Enumerable.Empty<string>(),
        }));

    /// <summary>Values that an option takes; null for words that are no such option.</summary>
    private static IEnumerable<string>? ValuesOf(string option, string verb, string runs) => option switch
    {
        "--method" => MethodModule.names.Select(method => method.Item1).Concat(["none", "td3"]),
        "--learner" => LearnerKindModule.names.Select(learner => learner.Item1),
        "--schedule" => ["serial", "pipelined", "async"],
        "--engine" => ["auto", "simd", "torch"],
        "--device" => ["auto", "cpu", "cuda"],
        "--variant" => ["paper", "official"],
        "--checkpoint" when verb is "resume" or "digest" or "probe" => ["last", "previous"],
        "--checkpoint" => ["best", "last", "previous"],
        "--resume" => SweepPaths.List(runs),
        "--heatmap" => RunFolder.List(runs),
        "--config" => Presets.Names,
        _ => null,
    };

    private static string? RunsOf(string[] words) => Array.IndexOf(words, "--runs") is var at and >= 0 && at + 1 < words.Length ? words[at + 1] : null;
}
