// Trains a pendulum, stops half-way, goes on and evaluates, by the package NE.Actors.
//   dotnet run -c Release [FOLDER [STEPS]]
using NE.Actors.Configuration;
using NE.Actors.Hosting;
using NE.Actors.Runs;

string folder = args.ElementAtOrDefault(0) ?? "runs";
long steps = long.Parse(args.ElementAtOrDefault(1) ?? "6000");
const string name = "pendulum";

// Keys as `ne config show` lists them.
var settings = new Dictionary<string, string>
{
    ["run.environment"] = "InvertedPendulum-v4",
    ["run.method"] = "ne",
    ["run.seed"] = "1",
    ["run.steps"] = steps.ToString(),
    ["network.hidden"] = "64,64",
    ["learner.batchSize"] = "64",
    ["learner.startSteps"] = "500",
    ["evaluation.every"] = "1000",
    ["checkpoint.every"] = "1000",
};

try
{
    await using (TrainingSession run = Training.Start(folder, name, settings, overwrite: true))
    {
        await foreach (RunStatus status in run.Watch(TimeSpan.FromMilliseconds(250)))
        {
            Say(status);

            if (status.Step >= steps / 2)
            {
                run.Stop("half-way");
            }
        }

        RunOutcome outcome = await run.Completion;
        Console.WriteLine($"{outcome.Phase} ({outcome.Message}), committed up to step {outcome.Step}");
    }

    // This may as well be another process, days later, after a kill -9.
    await using (TrainingSession run = Training.Resume(folder, name))
    {
        await foreach (RunStatus status in run.Watch())
        {
            Say(status);
        }

        RunOutcome outcome = await run.Completion;
        Console.WriteLine($"{outcome.Phase} at step {outcome.Step}");
    }

    PolicyEvaluation evaluation = Training.Evaluate(folder, name, episodes: 5);
    Console.WriteLine($"the best policy, of step {evaluation.Step}: mean return {evaluation.Mean:0.0} of {evaluation.Returns.Count} episodes");
    return 0;
}
catch (ConfigurationException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

static void Say(RunStatus status) =>
    Console.WriteLine($"{status.Phase}: step {status.Step} of {status.Steps}, {status.StepsPerSecond:0} steps/s, last evaluation {(status.Evaluations is [.., var last] ? last.Mean : double.NaN):0.0}");
