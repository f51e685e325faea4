namespace NE.Shell.Torture;

/// <summary>What a run needs beside this program.</summary>
internal enum Need
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>OpenGL without a screen.</summary>
    Pictures,

    /// <summary>A Python of 3.8 or later.</summary>
    Python,

    /// <summary>A PostgreSQL server that the user names.</summary>
    Server,

    /// <summary>A plug-in that the user names.</summary>
    Plugin,
}

/// <summary>A small run that is attacked.</summary>
/// <param name="Name">For the report, and for `--scenario`.</param>
/// <param name="Arguments">What `ne train` gets; {files}, {python} and {plugin} are filled in by <see cref="Surroundings"/>.</param>
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

    /// <summary>The same for pictures, which are drawn in software: few of them, and small ones.</summary>
    private static readonly string[] SmallPictures =
    [
        "network.hidden=48,48", "learner.batchSize=32", "learner.startSteps=40", "learner.bufferSize=600", "ne.growInterval=20", "ne.pruneBatch=32",
        "redo.every=40", "redo.threshold=0.1", "reset.every=60", "evaluation.episodes=1", "evaluation.every=70", "evaluation.maxSteps=10",
        "checkpoint.every=40", "log.metricsEvery=20", "pixels.size=24", "pixels.actionRepeat=8", "pixels.filters=8", "pixels.features=8",
    ];

    /// <summary>Whether a text is a part of its name.</summary>
    public bool IsCalled(string text) => this.Name.Contains(text, StringComparison.OrdinalIgnoreCase);

    /// <summary>What it needs; where that is not there, it is left out.</summary>
    public Need Need { get; init; }

    /// <summary>Whether its environments live in processes of their own, which can be killed without the run.</summary>
    public bool HasWorkers { get; init; }

    /// <summary>Whether the same run is the same bits; otherwise what it has committed is all that can be asked for again.</summary>
    public bool IsReproducible { get; init; } = true;

    /// <summary>
    /// All schedules, every learner, techniques of every kind, one and several environments, a cycle of tasks, environments of one's own, in other
    /// processes, and a journal elsewhere. Which attack has which of them follows from their order.
    /// </summary>
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
        Of("ne+redo, async, two environments", "HalfCheetah-v4", "ne+redo", "async", 2) with { IsReproducible = false },
        OfPictures("drq on pictures, ne+redo, pipelined", "dmc/pendulum-swingup", "drq", "ne+redo", "pipelined"),
        OfPictures("drqv2 on pictures, reset+layer-norm, serial", "dmc/cartpole-balance", "drqv2", "reset+layer-norm", "serial"),
        Of("a task file, ne, pipelined", "{files}/reaching-arm.yaml", "ne", "pipelined", 1),
        Of("a program in Python, ne+redo, pipelined", "external:{python} {files}/ne_environment.py {files}/pendulum_example.py:Pendulum", "ne+redo", "pipelined", 1)
            with { Need = Need.Python },
        Of("environments in two workers, ne, pipelined", "HalfCheetah-v4", "ne", "pipelined", 2, "schedule.workers=2") with { HasWorkers = true },
        Of("a journal in PostgreSQL, ne, pipelined", "Hopper-v4", "ne", "pipelined", 1) with { Need = Need.Server },
        Of("a plug-in, ne, pipelined", "{plugin}", "ne", "pipelined", 1) with { Need = Need.Plugin },
    ];

    private static Scenario Of(string name, string environment, string method, string schedule, int environments, params string[] more) => new(
        name,
        [
            environment, "--method", method, "--schedule", schedule, "--envs", $"{environments}", "--steps", "900", "--seed", "3", "--threads", "1", "--plain",
            .. more, .. Small,
        ]);

    private static Scenario OfPictures(string name, string task, string learner, string method, string schedule) => new(
        name,
        [task, "--learner", learner, "--method", method, "--schedule", schedule, "--steps", "200", "--seed", "3", "--threads", "1", "--plain", .. SmallPictures])
    { Need = Need.Pictures };
}
