using System.IO.Compression;
using System.Text.Json;
using NE.Actors.MuJoCo;
using NE.Model.Tasks;

namespace NE.Actors.Environments;

/// <summary>Replays a reference file of a Gymnasium environment (JSON, plain or .gz: models, start states, actions, trajectories,
/// observations, rewards) on our own tasks and reports the differences.</summary>
public static class ReferenceReplay
{
    private const double TrajectoryTolerance = 1e-8;
    private const double OutcomeTolerance = 1e-6;
    private const double ModelTolerance = 1e-12;

    /// <summary>The ends of our tasks' ids and the names of their outcomes in an episode.</summary>
    private static readonly (string Id, string Outcome)[] versions = [("v4", "v4"), ("v4-contact", "v4_use_contact_forces"), ("v5", "v5")];

    /// <summary>Replays every episode on every version of the task that we have. Throws FileNotFoundException, or InvalidDataException
    /// when the file is not such a reference or its environment is not one of ours. Reward terms and terminated flags are compared where the
    /// file has them.</summary>
    public static ReplayResult Run(string file)
    {
        using var document = Read(file);
        try
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("env", out var env) || !root.TryGetProperty("episodes", out var episodes))
            {
                throw new InvalidDataException($"{file} is not a reference of a Gymnasium environment: expected an object with `env` and `episodes`.");
            }

            var name = env.GetString()!;
            var found =
                from version in versions
                let task = Registry.tryFind($"{name}-{version.Id}")?.Value
                where task is not null
                select (Task: task, version.Outcome);
            var tasks = found.ToList();
            if (tasks.Count == 0)
            {
                var known = string.Join(", ", Registry.all.Select(task => task.Info.Id));
                throw new InvalidDataException($"{file} is a reference of {name}, an environment that is not available here; available are {known}.");
            }

            var models = root.TryGetProperty("models", out var arrays)
                ? arrays.EnumerateObject().Where(model => Robots.names.Contains(model.Name)).Select(CompareModel).ToList()
                : [];
            var replays =
                from episode in episodes.EnumerateArray()
                from version in tasks
                where episode.TryGetProperty(version.Outcome, out _) && episode.GetProperty("model").GetString() == version.Task.Info.Robot
                select ReplayEpisode(version.Task, episode, episode.GetProperty(version.Outcome));
            return new ReplayResult(file, name, models, [.. replays]);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{file} is not a complete reference of a Gymnasium environment: {e.Message}", e);
        }
    }

    private static JsonDocument Read(string file)
    {
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"There is no reference file {file}.", file);
        }

        try
        {
            using var stream = File.OpenRead(file);
            if (!file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            {
                return JsonDocument.Parse(stream);
            }

            using var plain = new GZipStream(stream, CompressionMode.Decompress);
            return JsonDocument.Parse(plain);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is not JSON: {e.Message}", e);
        }
    }

    private static ModelComparison CompareModel(JsonProperty reference)
    {
        var ours = ModelArrays.Read(MuJoCoModel.OfRobot(reference.Name));
        var named = reference.Value.EnumerateObject().SelectMany(
            property => property.Value.ValueKind == JsonValueKind.Object
                ? property.Value.EnumerateObject().Select(inner => (Name: $"{property.Name}.{inner.Name}", inner.Value))
                : [(property.Name, property.Value)]);
        var arrays =
            from entry in named
            where ours.ContainsKey(entry.Name)
            let worst = new Worst(ModelTolerance)
            select worst.Named(entry.Name, () => worst.AddRelative(ours[entry.Name], Numbers(entry.Value)));
        return new ModelComparison(reference.Name, [.. arrays]);
    }

    private static EpisodeReplay ReplayEpisode(ITask task, JsonElement episode, JsonElement outcome)
    {
        var info = task.Info;
        var steps = episode.GetProperty("steps").GetInt32();
        var compared = episode.GetProperty("compare_steps").GetInt32();
        var actions = episode.GetProperty("action");
        var qpos = episode.GetProperty("qpos");
        var qvel = episode.GetProperty("qvel");
        var rewards = Numbers(outcome.GetProperty("reward"));
        var terminated = outcome.TryGetProperty("terminated", out var flags) ? Numbers(flags) : null;
        var observations = StoredObservations(outcome);
        var terms = outcome.TryGetProperty("terms", out var named)
            ? named.EnumerateObject().ToDictionary(term => term.Name, term => Numbers(term.Value))
            : [];
        var knownTerms = Enumerable.Range(0, info.RewardTerms.Length).Where(i => terms.ContainsKey(info.RewardTerms[i])).ToList();

        var qposWorst = new Worst(TrajectoryTolerance);
        var qvelWorst = new Worst(TrajectoryTolerance);
        var observationWorst = new Worst(OutcomeTolerance);
        var rewardWorst = new Worst(OutcomeTolerance);
        var termWorst = knownTerms.ToDictionary(i => i, _ => new Worst(OutcomeTolerance));
        var mismatches = 0;

        using var simulator = new Simulator(MuJoCoModel.OfRobot(info.Robot));
        var memory = new double[info.MemorySize];
        var ownTerms = new double[info.RewardTerms.Length];
        var observation = new double[info.ObservationSize];
        simulator.ResetData();
        simulator.SetState(Numbers(episode.GetProperty("init_qpos")), Numbers(episode.GetProperty("init_qvel")));
        simulator.Forward();
        CompareState(0);
        for (var step = 0; step < compared; step++)
        {
            var action = Numbers(actions[step]);
            task.Before(simulator, memory);
            simulator.Step(action, info.FrameSkip, info.Stepping);
            var evaluation = task.Evaluate(simulator, action, memory, ownTerms);
            rewardWorst.Add(step, evaluation.Reward, rewards[step]);
            mismatches += terminated is null || evaluation.Terminated == (terminated[step] != 0) ? 0 : 1;
            foreach (var i in knownTerms)
            {
                termWorst[i].Add(step, ownTerms[i], terms[info.RewardTerms[i]][step]);
            }

            CompareState(step + 1);
        }

        return new EpisodeReplay(
            episode.GetProperty("name").GetString()!,
            info.Id,
            steps,
            compared,
            mismatches,
            [
                qposWorst.Named("qpos"),
                qvelWorst.Named("qvel"),
                observationWorst.Named("observation"),
                rewardWorst.Named("reward"),
                .. knownTerms.Select(i => termWorst[i].Named($"term:{info.RewardTerms[i]}")),
            ]);

        void CompareState(int time)
        {
            qposWorst.AddAll(time, simulator.QPos, Numbers(qpos[time]));
            qvelWorst.AddAll(time, simulator.QVel, Numbers(qvel[time]));
            if (observations.TryGetValue(time, out var expected))
            {
                task.Observe(simulator, observation);
                observationWorst.AddAll(time, observation, Numbers(expected));
            }
        }
    }

    /// <summary>The observations that the file holds, by time; `obs_steps` is "all" or lists the times.</summary>
    private static Dictionary<int, JsonElement> StoredObservations(JsonElement outcome)
    {
        var stored = outcome.GetProperty("obs").EnumerateArray().ToList();
        var steps = outcome.GetProperty("obs_steps");
        return Enumerable.Range(0, stored.Count).ToDictionary(i => steps.ValueKind == JsonValueKind.Array ? steps[i].GetInt32() : i, i => stored[i]);
    }

    private static double[] Numbers(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(number => number.GetDouble())] : [value.GetDouble()];

    /// <summary>Keeps the largest difference seen. Nothing is larger than NaN.</summary>
    private sealed class Worst(double tolerance)
    {
        private double worst;
        private int at = -1;

        internal void Add(int place, double ours, double reference) => this.Keep(place, Math.Abs(ours - reference) / (1 + Math.Abs(reference)));

        internal void AddAll(int place, ReadOnlySpan<double> ours, ReadOnlySpan<double> reference)
        {
            if (ours.Length != reference.Length)
            {
                this.Keep(place, double.NaN);
                return;
            }

            for (var i = 0; i < ours.Length; i++)
            {
                this.Add(place, ours[i], reference[i]);
            }
        }

        /// <summary>Relative differences; absolute ones where the reference is (nearly) 0.</summary>
        internal void AddRelative(ReadOnlySpan<double> ours, ReadOnlySpan<double> reference)
        {
            if (ours.Length != reference.Length)
            {
                this.Keep(0, double.NaN);
                return;
            }

            for (var i = 0; i < ours.Length; i++)
            {
                var size = Math.Abs(reference[i]);
                this.Keep(i, Math.Abs(ours[i] - reference[i]) / (size > 1e-9 ? size : 1));
            }
        }

        internal QuantityDifference Named(string quantity) => new(quantity, this.worst, tolerance, this.at);

        internal QuantityDifference Named(string quantity, Action fill)
        {
            fill();
            return this.Named(quantity);
        }

        private void Keep(int place, double difference)
        {
            if (difference > this.worst || (double.IsNaN(difference) && !double.IsNaN(this.worst)))
            {
                this.worst = difference;
                this.at = place;
            }
        }
    }
}
