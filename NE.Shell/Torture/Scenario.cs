namespace NE.Shell.Torture;

/// <summary>A small run that is attacked.</summary>
/// <param name="Name">For the report.</param>
/// <param name="Arguments">What `ne train` gets.</param>
internal sealed record Scenario(string Name, IReadOnlyList<string> Arguments)
{
    /// <summary>Networks and periods so small that a second of training has growth, pruning, review, probes, evaluations and several commits.</summary>
    private static readonly string[] Small =
    [
        "network.hidden=48,48", "learner.batchSize=64", "learner.startSteps=100", "learner.bufferSize=600", "learner.actorLearningRate=3e-3",
        "learner.criticLearningRate=3e-3", "ne.growInterval=80", "ne.pruneBatch=64", "ne.reviewFirstStep=100", "ne.reviewThreshold=0.2",
        "ne.reviewWindow=80", "redo.every=100", "redo.threshold=0.1", "reset.every=300", "shrinkAndPerturb.every=250", "injection.step=400",
        "swd.horizon=400", "evaluation.episodes=1", "evaluation.every=130", "checkpoint.every=150", "log.metricsEvery=100", "log.probeEvery=400",
    ];

    /// <summary>All schedules, every learner of states, techniques of every kind, one and several environments, and a cycle of tasks.</summary>
    public static readonly IReadOnlyList<Scenario> All =
    [
        Of("ne, pipelined", "HalfCheetah-v4", "ne", "pipelined", 1),
        Of("ne, serial, three environments", "Hopper-v4", "ne", "serial", 3),
        Of("td3, serial", "Walker2d-v4", "td3", "serial", 1),
        Of("reset+layer-norm, pipelined, two environments", "HalfCheetah-v4", "reset+layer-norm", "pipelined", 2),
        Of("ne+redo+swd, pipelined", "Hopper-v4", "ne+redo+swd", "pipelined", 1),
        Of("plasticity-injection, serial", "Walker2d-v4", "plasticity-injection", "serial", 2),
        Of("sac with redo, pipelined", "Hopper-v4", "redo", "pipelined", 1, "--learner", "sac"),
        Of("continual-backprop, serial", "InvertedPendulum-v4", "continual-backprop", "serial", 1),
        Of("a cycle, ne+shrink-and-perturb", "cycle:Hopper-v4,HalfCheetah-v4", "ne+shrink-and-perturb", "pipelined", 1),
    ];

    private static Scenario Of(string name, string environment, string method, string schedule, int environments, params string[] more) => new(
        name,
        [
            environment, "--method", method, "--schedule", schedule, "--envs", $"{environments}", "--steps", "900", "--seed", "3", "--threads", "1", "--plain",
            .. more, .. Small,
        ]);
}
