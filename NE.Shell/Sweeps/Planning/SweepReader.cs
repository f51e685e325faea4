using System.Globalization;
using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Shell.Configuration;
using NE.Shell.Host;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace NE.Shell.Sweeps.Planning;

/// <summary>Reads a sweep's YAML. Every problem of the file is collected with its line and said at once.</summary>
public static class SweepReader
{
    /// <summary>Keys that have a field of their own, by key.</summary>
    private static readonly Dictionary<string, string> fieldOf = new()
    {
        ["run.environment"] = "environments",
        ["run.method"] = "methods or arms",
        ["run.seed"] = "seeds",
    };

    /// <summary>Reads the text of a file. Throws one <see cref="UserError"/> that lists every problem.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The file's or preset's name as the user knows it.</param>
    /// <param name="readFile">Reads the file that `config` names; null when there is none.</param>
    public static SweepFile Read(string text, string file, Func<string, string?> readFile)
    {
        var problems = new List<ConfigurationProblem>();
        YamlMappingNode? root = Root(text, file, problems);
        SweepFile? sweep = root is null ? null : Sweep(new YamlFields(root, file, problems), readFile, problems);
        SweepProblems.Throw(problems);
        return sweep!;
    }

    private static YamlMappingNode? Root(string text, string file, List<ConfigurationProblem> problems)
    {
        var stream = new YamlStream();

        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException problem)
        {
            problems.Add(new($"{file}:{problem.Start.Line}", $"not valid YAML (column {problem.Start.Column}): {problem.InnerException?.Message ?? problem.Message}"));
            return null;
        }
        catch (Exception problem) when (problem is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet's scanner fails in this way on some texts, for example on a list whose bracket is never closed.
            problems.Add(new(file, "not valid YAML; a bracket or quote is not closed"));
            return null;
        }

        switch (stream.Documents)
        {
            case [{ RootNode: YamlMappingNode mapping }]:
                return mapping;
            case [_, var second, ..]:
                problems.Add(new($"{file}:{second.RootNode.Start.Line}", "expected one document, found a second one"));
                return null;
            default:
                problems.Add(new(file, "expected the fields of a sweep, such as `name: my-sweep`"));
                return null;
        }
    }

    private static SweepFile Sweep(YamlFields fields, Func<string, string?> readFile, List<ConfigurationProblem> problems)
    {
        string name = Name(fields);
        string description = fields.Text("description") ?? "";
        bool smoke = Flag(fields, "smoke");
        ConfigurationEntry[] environments = [.. fields.Texts("environments").Select(id => new ConfigurationEntry("run.environment", id.Value, id.Where))];
        var common = Entries(fields, readFile, problems);
        IReadOnlyList<SweepArm> arms = Arms(fields, common, readFile, problems);
        (IReadOnlyList<long> seeds, (string Text, string Where)? wrong) = SeedList.Read(fields.Texts("seeds"));
        IReadOnlyList<SweepAxis> grid = Grid(fields);
        SweepSearch? search = Search(fields);
        int? parallel = WholeNumber(fields, "parallel");
        fields.End();
        problems.AddRange((search?.Space ?? []).Where(key => grid.Concat(arms.SelectMany(arm => arm.Grid)).Any(axis => axis.Key == key.Key))
            .Select(key => new ConfigurationProblem(key.Where, $"{key.Key} is in a grid already; leave it out of one of the two")));
        problems.AddRange(arms.SelectMany(arm => arm.Grid).Where(axis => grid.Any(common => common.Key == axis.Key))
            .Select(axis => new ConfigurationProblem(axis.Where, $"{axis.Key} is in the grid of all arms already; leave it out of one of the two")));

        if (wrong is { } seedProblem)
        {
            problems.Add(new(seedProblem.Where, seedProblem.Text));
        }

        foreach ((string field, bool missing) in (ReadOnlySpan<(string, bool)>)[("environments", environments.Length == 0), ("seeds", seeds.Count == 0 && wrong is null)])
        {
            if (missing && fields.Where(field) == fields.Where())
            {
                fields.Problem($"{field} is missing");
            }
        }

        return new SweepFile
        {
            Name = name,
            Description = description,
            Smoke = smoke,
            Environments = environments,
            Arms = arms,
            Seeds = seeds,
            Common = common,
            Grid = grid,
            Search = search,
            Parallel = parallel,
        };
    }

    private static string Name(YamlFields fields)
    {
        string? name = fields.Text("name");

        if (name is null)
        {
            fields.Problem("name is missing; it begins the name of every run");
            return "";
        }

        try
        {
            // What is stored must be a folder's name too.
            return RunName.Validate(name);
        }
        catch (RunFolderException problem)
        {
            fields.Problem($"name: {problem.Message}", "name");
            return name;
        }
    }

    private static bool Flag(YamlFields fields, string field)
    {
        string? text = fields.Text(field);

        if (text is not (null or "true" or "false"))
        {
            fields.Problem($"{field} expects true or false, found '{text}'", field);
        }

        return text == "true";
    }

    private static int? WholeNumber(YamlFields fields, string field)
    {
        if (fields.Text(field) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= 1)
        {
            return count;
        }

        fields.Problem($"{field} expects a whole number >= 1, found '{text}'", field);
        return null;
    }

    private static SweepSearch? Search(YamlFields fields)
    {
        if (fields.Mapping("search") is not { } search)
        {
            return null;
        }

        int? trials = WholeNumber(search, "trials");

        if (trials is null && search.Where("trials") == search.Where())
        {
            search.Problem("trials is missing: how many points are to be drawn");
        }

        string seed = search.Text("seed") ?? "0";

        if (!long.TryParse(seed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
        {
            search.Problem($"seed expects a whole number, found '{seed}'", "seed");
        }

        var space = new List<SearchedKey>();

        foreach ((string key, string? text, IReadOnlyList<string> list, string where) in search.TextsOrLists("space"))
        {
            if (fieldOf.TryGetValue(key, out string? field))
            {
                search.Problem($"space: {key} is not a key of a sweep; use the field {field}", "space");
            }
            else if (list.Count > 0)
            {
                space.Add(new(key, new SearchedValues.Choice(list), where));
            }
            else if (text is not null && SearchedValues.OfRange(text) is { } range)
            {
                space.Add(new(key, range, where));
            }
            else
            {
                search.Problem($"space, {key}: expected a list of values, or a range such as `0 .. 0.5`, `log 1e-5 .. 1e-3` or `integer 100 .. 2000`, found '{text}'", "space");
            }
        }

        if (space.Count == 0 && search.Where("space") == search.Where())
        {
            search.Problem("space is missing: the keys that are to be varied");
        }

        SweepHalving? halving = Halving(search, trials ?? 1);
        search.End();
        return new(trials ?? 1, number, space, halving);
    }

    private static SweepHalving? Halving(YamlFields search, int trials)
    {
        if (search.Mapping("halving") is not { } halving)
        {
            return null;
        }

        const string from = "from", factor = "factor";
        int? first = WholeNumber(halving, from);
        int among = WholeNumber(halving, factor) ?? 3;

        if (first is null && halving.Where(from) == halving.Where())
        {
            halving.Problem("from is missing: the environment step at which the trials are compared first");
        }

        if (among < 2 || among > trials)
        {
            halving.Problem($"factor expects a number from 2 to the number of trials, {trials}, found {among}: one trial in so many goes on", factor);
        }

        halving.End();
        return new(first ?? 1, Math.Max(2, among));
    }

    /// <summary>`arms`, or `methods` for arms that are a method and nothing else.</summary>
    private static List<SweepArm> Arms(YamlFields fields, List<ConfigurationEntry> common, Func<string, string?> readFile, List<ConfigurationProblem> problems)
    {
        IReadOnlyList<(string Value, string Where)> methods = fields.Texts("methods");
        IReadOnlyList<YamlFields> items = fields.Items("arms");

        if (methods.Count > 0 && items.Count > 0)
        {
            fields.Problem("expected methods or arms, found both; an arm may be a method alone: `- {method: td3}`", "methods");
        }
        else if (methods.Count == 0 && items.Count == 0 && fields.Where("arms") == fields.Where() && fields.Where("methods") == fields.Where())
        {
            fields.Problem("methods is missing, and so is arms: nothing would be compared");
        }

        List<SweepArm> arms = [.. methods.Select(method => new SweepArm(Label(method.Value, common), new("run.method", method.Value, method.Where), [], [], method.Where))];

        foreach (YamlFields item in items)
        {
            string? label = item.Text("label");
            string? method = item.Text("method");
            IReadOnlyList<ConfigurationEntry> entries = Entries(item, readFile, problems);
            IReadOnlyList<SweepAxis> grid = Grid(item);
            item.End();

            if (method is null)
            {
                item.Problem("an arm expects a method, such as `method: ne`");
            }
            else
            {
                arms.Add(new(label ?? Label(method, [.. common, .. entries]), new("run.method", method, item.Where("method")), entries, grid, item.Where()));
            }
        }

        return arms;
    }

    /// <summary>What an arm is called that was given no name: its method, and in front of it the learner where the sweep's keys name another than the usual one.</summary>
    private static string Label(string method, IEnumerable<ConfigurationEntry> entries)
    {
        if (entries.LastOrDefault(entry => entry.Key == "run.learner") is not { Value: var learner })
        {
            return method;
        }

        var settings = SettingsModule.apply([("run.learner", learner), ("run.method", method)], SettingsModule.defaults);
        // What is wrong with either is said when the cells are checked.
        return settings.IsOk && !settings.ResultValue.Run.Learner.IsTd3 ? SettingsModule.agent(settings.ResultValue) : method;
    }

    /// <summary>The keys of the variant that `variant` names, those of a file or preset that `config` names, then those of `keys`.</summary>
    private static List<ConfigurationEntry> Entries(YamlFields fields, Func<string, string?> readFile, List<ConfigurationProblem> problems)
    {
        var entries = new List<ConfigurationEntry>();

        if (fields.Text("variant") is { } variant)
        {
            entries.AddRange(ConfigurationBuilder.ReadVariant(variant, $"{fields.Where("variant")}: variant", problems));
        }

        if (fields.Text("config") is { } source)
        {
            // What a stored configuration says about these is not meant: they are what the cells differ in.
            entries.AddRange(ConfigurationBuilder.ReadSource(source, $"{fields.Where("config")}: config", readFile, problems).Where(entry => !fieldOf.ContainsKey(entry.Key)));
        }

        foreach (ConfigurationEntry entry in fields.Keys("keys"))
        {
            if (fieldOf.TryGetValue(entry.Key, out string? field))
            {
                problems.Add(new(entry.Where, $"{entry.Key} is not a key of a sweep; use the field {field}"));
            }
            else
            {
                entries.Add(entry);
            }
        }

        return entries;
    }

    private static List<SweepAxis> Grid(YamlFields fields)
    {
        var axes = new List<SweepAxis>();

        foreach (SweepAxis axis in fields.Axes("grid"))
        {
            if (fieldOf.TryGetValue(axis.Key, out string? field))
            {
                fields.Problem($"grid: {axis.Key} is not a key of a sweep; use the field {field}", "grid");
            }
            else
            {
                axes.Add(axis);
            }
        }

        return axes;
    }
}
