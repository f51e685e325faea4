using System.Text.Json;
using NE.Model.Tasks;

namespace NE.Actors.References;

/// <summary>Reference files of the Control Suite's domains: all tasks of one domain in one file.</summary>
internal static class ControlSuiteReference
{
    /// <summary>How the file's environment begins; the rest is the domain.</summary>
    internal const string Prefix = "dmc_";

    /// <summary>The geom of reacher's model that is the target.</summary>
    private const int ReacherTarget = 6;

    /// <summary>Replays every episode on each of the domain's tasks whose rewards the file has.</summary>
    internal static ReplayResult Run(string file, JsonElement root, string environment)
    {
        var domain = environment[Prefix.Length..];
        var replays =
            from episode in root.GetProperty("episodes").EnumerateArray()
            from reward in episode.GetProperty("reward").EnumerateObject()
            let task = Registry.tryFind($"dmc/{domain}-{reward.Name}")?.Value
            where task is not null
            select Episode(episode, reward.Value).Replay(task);
        EpisodeReplay[] episodes = [.. replays];
        if (episodes.Length == 0)
        {
            throw ReferenceReplay.Unavailable(file, environment);
        }

        return new ReplayResult(file, environment) { Models = ReferenceModels.Compare(root, name => $"dmc/{name}"), Episodes = episodes };
    }

    private static ReferenceEpisode Episode(JsonElement episode, JsonElement reward) => new()
    {
        Name = episode.GetProperty("name").GetString()!,
        ComparedSteps = episode.GetProperty("compare_steps").GetInt32(),
        Actions = ReferenceJson.Rows(episode.GetProperty("action")),
        QPos = ReferenceJson.Rows(episode.GetProperty("qpos")),
        QVel = ReferenceJson.Rows(episode.GetProperty("qvel")),
        Rewards = ReferenceJson.Numbers(reward),
        Observations = Observations(episode),
        Prepare = start => Prepare(start, episode),
    };

    private static void Prepare(IStartState start, JsonElement episode)
    {
        if (episode.TryGetProperty("target_xy", out var place))
        {
            PlaceTarget(start, place, episode.GetProperty("target_size"));
        }
        else if (episode.TryGetProperty("target_xyz", out var target))
        {
            var xyz = ReferenceJson.Numbers(target);
            start.MoveMocap(0, xyz[0], xyz[1], xyz[2]);
        }
    }

    /// <summary>The parts of the observation one after the other, as agents see them.</summary>
    private static Dictionary<int, double[]> Observations(JsonElement episode)
    {
        var order = episode.GetProperty("obs_order").EnumerateArray().Select(key => key.GetString()!);
        double[][][] parts = [.. order.Select(key => ReferenceJson.Rows(episode.GetProperty("obs").GetProperty(key)))];
        return Enumerable.Range(0, parts[0].Length).ToDictionary(time => time, time => parts.SelectMany(part => part[time]).ToArray());
    }

    /// <summary>Writes reacher's target into a model of its own.</summary>
    internal static void PlaceTarget(IStartState start, JsonElement place, JsonElement size)
    {
        var xy = ReferenceJson.Numbers(place);
        start.MoveGeom(ReacherTarget, xy[0], xy[1]);
        start.ResizeGeom(ReacherTarget, size.GetDouble());
    }
}
