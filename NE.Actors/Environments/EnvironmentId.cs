using System.Text;
using NE.Model;
using NE.Model.Tasks;

namespace NE.Actors.Environments;

/// <summary>What the text of `run.environment` means. Parsing looks at the text only; `Problem` looks at the files.</summary>
public abstract record EnvironmentId
{
    private const string PluginPrefix = "plugin:";
    private const string ExternalPrefix = "external:";

    private EnvironmentId()
    {
    }

    /// <summary>The id as it is written; `Parse` reads it back.</summary>
    public abstract string Text { get; }

    /// <summary>What the default name of a run begins with.</summary>
    public abstract string ShortName { get; }

    /// <summary>Reads an id. Throws EnvironmentUnusableException for one that cannot mean anything; whether a built-in task, a file or a
    /// program exists is not asked.</summary>
    public static EnvironmentId Parse(string id)
    {
        if (id.StartsWith(PluginPrefix, StringComparison.Ordinal))
        {
            return ParsePlugin(id[PluginPrefix.Length..].Trim());
        }

        if (id.StartsWith(ExternalPrefix, StringComparison.Ordinal))
        {
            var words = CommandWords.Split(id[ExternalPrefix.Length..]);
            return words.Count > 0
                ? new External(words)
                : throw new EnvironmentUnusableException("Expected external:COMMAND, such as external:python3 my_environment.py, found no command.");
        }

        if (TaskCycle.isCycle(id))
        {
            return new Cycle(TaskCycle.tasks(id));
        }

        return id.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || id.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
            ? new TaskFile(id)
            : new BuiltIn(id);
    }

    /// <summary>Whether a word of the command line is an environment of one's own, whatever else it contains.</summary>
    public static bool IsOwn(string word) =>
        word.StartsWith(PluginPrefix, StringComparison.Ordinal) || word.StartsWith(ExternalPrefix, StringComparison.Ordinal);

    /// <summary>What is wrong with an id as far as the text, the registry and the presence of files can tell; null when nothing is.</summary>
    public static string? Problem(string id)
    {
        try
        {
            return Parse(id) switch
            {
                BuiltIn task when Registry.find(task.Id) is { IsOk: false } unknown =>
                    $"{unknown.ErrorValue} An environment of one's own is PATH.yaml, plugin:PATH.dll or external:COMMAND.",
                TaskFile file when !File.Exists(file.Path) => $"there is no task file {System.IO.Path.GetFullPath(file.Path)}",
                Plugin plugin when !File.Exists(plugin.Path) => $"there is no plug-in {System.IO.Path.GetFullPath(plugin.Path)}",
                Cycle cycle => cycle.Problem(),
                _ => null,
            };
        }
        catch (EnvironmentUnusableException problem)
        {
            return problem.Message;
        }
    }

    /// <summary>The same environment for a process that works in another folder: paths are absolute. Of a command, these are the program if
    /// it is a path, and arguments PATH, PATH:NAME, --option=PATH and NAME=PATH whose path exists and contains a '/' or a '.'.</summary>
    /// <param name="folder">The folder that relative paths are relative to; absolute itself.</param>
    public abstract EnvironmentId In(string folder);

    private static EnvironmentId ParsePlugin(string text)
    {
        // A folder's name may contain a '#' too.
        const string Mark = ".dll#";
        var mark = text.LastIndexOf(Mark, StringComparison.OrdinalIgnoreCase);
        var path = mark < 0 ? text : text[..(mark + Mark.Length - 1)];
        var type = mark < 0 ? null : text[(mark + Mark.Length)..];
        return path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) && type != ""
            ? new Plugin(path, type)
            : throw new EnvironmentUnusableException($"Expected plugin:PATH.dll or plugin:PATH.dll#Namespace.Type, found '{PluginPrefix}{text}'.");
    }

    private static string Named(string path) => System.IO.Path.GetFileNameWithoutExtension(path);

    /// <summary>A task that this program ships.</summary>
    public sealed record BuiltIn(string Id) : EnvironmentId
    {
        public override string Text => this.Id;

        public override string ShortName => this.Id;

        public override EnvironmentId In(string folder) => this;
    }

    /// <summary>A task described in YAML, on a model in MJCF.</summary>
    public sealed record TaskFile(string Path) : EnvironmentId
    {
        public override string Text => this.Path;

        public override string ShortName => Named(this.Path);

        public override EnvironmentId In(string folder) => new TaskFile(System.IO.Path.GetFullPath(this.Path, folder));
    }

    /// <summary>Several tasks, learned one after the other and again.</summary>
    /// <param name="Tasks">Their ids, in order.</param>
    public sealed record Cycle(IReadOnlyList<string> Tasks) : EnvironmentId
    {
        public override string Text => TaskCycle.Prefix + string.Join(',', this.Tasks);

        public override string ShortName => $"cycle-{string.Join('-', this.Tasks)}";

        public override EnvironmentId In(string folder) => this;

        public bool Equals(Cycle? other) => other is not null && this.Tasks.SequenceEqual(other.Tasks);

        public override int GetHashCode() => this.Text.GetHashCode(StringComparison.Ordinal);

        /// <summary>What is wrong with the list; null when nothing is.</summary>
        internal string? Problem()
        {
            if (this.Tasks.Any(string.IsNullOrEmpty))
            {
                return $"a task's name is empty; write {TaskCycle.Prefix}TASK,TASK without a comma at the end";
            }

            foreach (string task in this.Tasks)
            {
                if (Parse(task) is not BuiltIn)
                {
                    return $"'{task}' cannot be part of a cycle: a cycle is of tasks that this program ships (`ne env list`)";
                }

                if (EnvironmentId.Problem(task) is { } problem)
                {
                    return problem;
                }
            }

            if (this.Tasks.Count < 2)
            {
                return $"a cycle needs two tasks or more, such as {TaskCycle.Prefix}HalfCheetah-v4,Hopper-v4";
            }

            return this.Tasks.GroupBy(task => task).FirstOrDefault(same => same.Count() > 1) is { } repeated
                ? $"the task {repeated.Key} is named {repeated.Count()} times; every task of a cycle is visited once per cycle"
                : null;
        }
    }

    /// <summary>A class that implements IEnvironment, in an assembly of one's own.</summary>
    /// <param name="Type">The class's full name; null when it is the only one.</param>
    public sealed record Plugin(string Path, string? Type) : EnvironmentId
    {
        public override string Text => $"{PluginPrefix}{this.Path}{(this.Type is null ? "" : $"#{this.Type}")}";

        public override string ShortName => this.Type is null ? Named(this.Path) : this.Type[(this.Type.LastIndexOfAny(['.', '+']) + 1)..];

        public override EnvironmentId In(string folder) => this with { Path = System.IO.Path.GetFullPath(this.Path, folder) };
    }

    /// <summary>A program that speaks the protocol of `External`.</summary>
    /// <param name="Command">The program and its arguments.</param>
    public sealed record External(IReadOnlyList<string> Command) : EnvironmentId
    {
        public override string Text => ExternalPrefix + CommandWords.Join(this.Command);

        public override string ShortName => $"external-{Named(this.Command[0])}";

        public override EnvironmentId In(string folder) => new External(
            [.. this.Command.Select((word, i) => i == 0 ? Program(word, folder) : Argument(word, folder))]);

        public bool Equals(External? other) => other is not null && this.Command.SequenceEqual(other.Command);

        public override int GetHashCode() => this.Text.GetHashCode(StringComparison.Ordinal);

        private static string Program(string word, string folder) => word.Contains('/') ? System.IO.Path.GetFullPath(word, folder) : word;

        /// <summary>PATH, PATH:NAME, --option=PATH or NAME=PATH.</summary>
        private static string Argument(string word, string folder)
        {
            var (equals, colon) = (word.IndexOf('='), word.LastIndexOf(':'));
            return Absolute(word, folder)
                ?? (colon > 0 && Absolute(word[..colon], folder) is { } path ? path + word[colon..] : null)
                ?? (equals > 0 && IsOptionOrName(word[..equals]) && Absolute(word[(equals + 1)..], folder) is { } value ? word[..(equals + 1)] + value : word);
        }

        /// <summary>Names are those of keyword arguments and of variables of the environment.</summary>
        private static bool IsOptionOrName(string text) =>
            text[0] == '-' || (!char.IsDigit(text[0]) && text.All(letter => letter == '_' || char.IsLetterOrDigit(letter)));

        private static string? Absolute(string text, string folder)
        {
            var path = text.Contains('/') || text.Contains('.') ? System.IO.Path.GetFullPath(text, folder) : null;
            return System.IO.Path.Exists(path) ? path : null;
        }
    }
}

/// <summary>A command as one text: words separated by spaces; quotes and backslashes as in a shell, nothing else of it.</summary>
internal static class CommandWords
{
    internal static IReadOnlyList<string> Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, inside) = ('\0', false);
        for (var i = 0; i < text.Length; i++)
        {
            var letter = text[i];
            if (letter == '\\' && quote != '\'' && i + 1 < text.Length)
            {
                word.Append(text[++i]);
                inside = true;
            }
            else if (quote != '\0')
            {
                if (letter == quote)
                {
                    quote = '\0';
                }
                else
                {
                    word.Append(letter);
                }
            }
            else if (letter is '"' or '\'')
            {
                (quote, inside) = (letter, true);
            }
            else if (!char.IsWhiteSpace(letter))
            {
                word.Append(letter);
                inside = true;
            }
            else if (inside)
            {
                words.Add(word.ToString());
                word.Clear();
                inside = false;
            }
        }

        if (quote != '\0')
        {
            throw new EnvironmentUnusableException($"Expected a closing {quote} in the command: {text.Trim()}");
        }

        if (inside)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    internal static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quoted));

    private static string Quoted(string word) =>
        word.Length > 0 && !word.Any(letter => char.IsWhiteSpace(letter) || letter is '"' or '\'' or '\\')
            ? word
            : $"'{word.Replace("'", "'\\''")}'";
}
