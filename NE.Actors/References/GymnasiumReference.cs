using System.Text.Json;
using NE.Model.Tasks;

namespace NE.Actors.References;

/// <summary>Reference files of Gymnasium's environments: every version of one environment in one file.</summary>
internal static class GymnasiumReference
{
    /// <summary>The ends of our tasks' ids and the names of their outcomes in an episode.</summary>
    private static readonly (string Id, string Outcome)[] versions = [("v4", "v4"), ("v4-contact", "v4_use_contact_forces"), ("v5", "v5")];

    /// <summary>Replays every episode on every version of the task that we have. Reward terms and terminated flags are compared where the
    /// file has them.</summary>
    internal static ReplayResult Run(string file, JsonElement root, string environment)
    {
        var found =
            from version in versions
            let task = Registry.tryFind($"{environment}-{version.Id}")?.Value
            where task is not null
            select (Task: task, version.Outcome);
        var tasks = found.ToList();
        if (tasks.Count == 0)
        {
            throw ReferenceReplay.Unavailable(file, environment);
        }

        var models = ReferenceModels.Compare(root, name => name);
        var replays =
            from episode in root.GetProperty("episodes").EnumerateArray()
            from version in tasks
            where episode.TryGetProperty(version.Outcome, out _) && episode.GetProperty("model").GetString() == version.Task.Info.Robot
            select Episode(episode, episode.GetProperty(version.Outcome)).Replay(version.Task);
        return new ReplayResult(file, environment) { Models = models, Episodes = [.. replays] };
    }

    private static ReferenceEpisode Episode(JsonElement episode, JsonElement outcome) => new()
    {
        Name = episode.GetProperty("name").GetString()!,
        ComparedSteps = episode.GetProperty("compare_steps").GetInt32(),
        Actions = ReferenceJson.Rows(episode.GetProperty("action")),
        QPos = ReferenceJson.Rows(episode.GetProperty("qpos")),
        QVel = ReferenceJson.Rows(episode.GetProperty("qvel")),
        Rewards = ReferenceJson.Numbers(outcome.GetProperty("reward")),
        Terminated = outcome.TryGetProperty("terminated", out var flags) ? ReferenceJson.Numbers(flags) : null,
        Terms = outcome.TryGetProperty("terms", out var terms)
            ? terms.EnumerateObject().ToDictionary(term => term.Name, term => ReferenceJson.Numbers(term.Value))
            : new Dictionary<string, double[]>(),
        Observations = Observations(outcome),
    };

    /// <summary>The observations that the file holds, by time; `obs_steps` is "all" or lists the times.</summary>
    private static Dictionary<int, double[]> Observations(JsonElement outcome)
    {
        var stored = ReferenceJson.Rows(outcome.GetProperty("obs"));
        var steps = outcome.GetProperty("obs_steps");
        return Enumerable.Range(0, stored.Length).ToDictionary(i => steps.ValueKind == JsonValueKind.Array ? steps[i].GetInt32() : i, i => stored[i]);
    }
}
