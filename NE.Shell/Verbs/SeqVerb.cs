using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Logging;
using NE.Shell.SeqServer;

namespace NE.Shell.Verbs;

/// <summary>`ne seq setup`</summary>
internal static class SeqVerb
{
    public static async Task<ExitCode> Setup(SeqSetupCommand command, ShellHost host)
    {
        IReadOnlyList<SeqEntity> entities = SeqEntity.All();

        if (command.DryRun)
        {
            foreach (SeqEntity entity in entities)
            {
                Describe(entity, host.Output);
            }

            return ExitCode.Ok;
        }

        string url = SeqAddress.Of(command.Url, host, "URL") ?? throw new UserError("`ne seq setup` expects the address of a Seq server, such as http://127.0.0.1:5341, or NE_SEQ_URL");
        using var api = new SeqApi(url, host.SeqApiKey);
        string version = await api.Open();
        await SeqSetup.Make(api, entities, made => host.Output.WriteLine($"{made.Result,-9}  {Name(made.Entity.Kind),-9}  {made.Entity.Title}"));
        host.Output.WriteLine($"Seq {version} has them all. What to ask: docs/seq.md");
        return ExitCode.Ok;
    }

    private static void Describe(SeqEntity entity, TextWriter output)
    {
        output.WriteLine($"{Name(entity.Kind),-9}  {entity.Title}");

        foreach (string line in LinesOf(entity))
        {
            output.WriteLine($"           {line}");
        }
    }

    private static IEnumerable<string> LinesOf(SeqEntity entity) => entity.Kind switch
    {
        SeqKind.Signal => entity.Content["Filters"]!.AsArray().Select(filter => (string)filter!["Filter"]!),
        SeqKind.Query => ((string)entity.Content["Sql"]!).Split('\n'),
        _ => entity.Content["Charts"]!.AsArray().Select(chart => (string)chart!["Title"]!),
    };

    private static string Name(SeqKind kind) => kind.ToString().ToLowerInvariant();
}
