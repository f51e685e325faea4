using System.Globalization;
using System.Text.Json.Nodes;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Model;
using NE.Model.Agents;
using NE.Model.Replay;
using NE.Shell.Configuration;
using NE.Shell.Host;
using Spectre.Console;
using IRenderable = Spectre.Console.Rendering.IRenderable;

namespace NE.Shell.Views;

/// <summary>The configuration as text: resolved values, the schema, and what a run takes.</summary>
public static class ConfigurationView
{
    /// <summary>Every key with its value and where it comes from.</summary>
    public static IReadOnlyList<IRenderable> Resolved(BuiltConfiguration configuration)
    {
        Table table = Tables.Create("key", "value", "unit", "from");
        var rules = configuration.Derived.ToDictionary(derivation => derivation.Key, derivation => derivation.Rule);

        foreach (Key key in SettingsModule.keys)
        {
            string from = rules.TryGetValue(key.Name, out string? rule) ? $"derived: {rule}"
                : configuration.Origins.GetValueOrDefault(key.Name, "default");
            table.Add(key.Name, key.Get.Invoke(configuration.Settings), key.Unit, from);
        }

        return [table, new Text($"\n{Scaling(configuration.Settings)}\n")];
    }

    /// <summary>The schema: every key with default, unit, allowed values, provenance and sentence.</summary>
    public static IRenderable Schema()
    {
        Table table = Tables.Create("key", "default", "unit", "allowed", "from", "meaning");

        foreach (TableColumn column in table.Columns)
        {
            column.NoWrap = false;
        }

        table.Columns[0].NoWrap = true;

        foreach (Key key in SettingsModule.keys)
        {
            table.Add(key.Name, key.Get.Invoke(SettingsModule.defaults), key.Unit, key.Allowed, key.Provenance.Label, key.Sentence);
        }

        return table;
    }

    /// <summary>The schema for other programs: one object per key.</summary>
    public static JsonArray SchemaJson() => new([.. SettingsModule.keys.Select(key => new JsonObject
    {
        ["key"] = key.Name,
        ["default"] = ConfigurationWriter.Value(key.Get.Invoke(SettingsModule.defaults)),
        ["unit"] = key.Unit,
        ["allowed"] = key.Allowed,
        ["provenance"] = key.Provenance.Label,
        ["mayChangeOnResume"] = key.MayChange.Invoke(SettingsModule.defaults),
        ["sentence"] = key.Sentence,
    })]);

    /// <summary>What a run takes.</summary>
    public static IRenderable Plan(RunPlan plan, EvaluationPlan evaluation, BuiltConfiguration configuration, EnvironmentSpec environment, string directory)
    {
        Settings settings = configuration.Settings;
        Table table = Tables.Create("", "");
        table.Add("run", directory);
        table.Add("length", $"{Format.Counted(settings.Run.Steps, "environment step")}, {Format.Counted(plan.GradientSteps, "gradient step")} of batch {settings.Learner.BatchSize}");
        table.Add("duration", $"about {Format.Duration(plan.Seconds)} on one CPU core (an order of magnitude; the live view measures it)");
        table.Add("parameters", Words(plan.Learner, environment));

        if (settings.Network.Scale > 0)
        {
            table.Add("scale", $"{settings.Network.Scale}: {Format.Value(plan.ScaleRatio, "0.00")} times the parameters of scale 0");
        }

        table.Add("evaluation", Words(evaluation, settings));
        table.Add("replay", $"{Format.Counted(plan.ReplayRows, settings.Run.Learner.SeesPixels ? "frame" : "transition")}, {Format.Bytes(plan.ReplayBytes)}");
        table.Add("memory", $"up to {Format.Bytes(plan.MemoryBytes)}, of which {Format.Bytes(plan.ReplayBytes)} are file pages that the system may reclaim");
        table.Add("disk", $"up to {Format.Bytes(plan.DiskBytes)}");
        table.Add("checkpoints", $"every {Format.Counted(settings.Checkpoint.Every.Value, "step")}, {Format.Bytes(plan.StateBytes)} each beside the replay");
        return table;
    }

    private static string Words(LearnerSize learner, EnvironmentSpec environment)
    {
        string encoder = learner.Encoder > 0 ? $", convolutions {Format.Count(learner.Encoder)}" : "";
        string seen = environment.Observation is ObservationForm.Pixels pictures
            ? $"pictures of {pictures.shape.Channels}x{pictures.shape.Height}x{pictures.shape.Width}"
            : Format.Counted(environment.ObservationSize, "observation");
        return $"{Format.Count(learner.Parameters)} (actor {Format.Count(learner.Actor)}, two critics {Format.Count(learner.Critics)}{encoder}) for {seen} and {Format.Counted(environment.ActionSize, "action")}";
    }

    private static string Words(EvaluationPlan plan, Settings settings)
    {
        string what = $"every {Format.Counted(settings.Evaluation.Every.Value, "step")}, {Format.Counted(plan.Episodes, "episode")} each";
        string ofWhat = settings.Run.Learner.SeesPixels ? "step" : "control step";
        string most = plan.Steps is { } steps ? $"up to {Format.Counted(steps, ofWhat)}" : "nothing ends an episode by time";
        string share = plan.Share is { } part ? $", at most {Format.Percent(part)} of the processor time" : "";
        string within = plan.Within is { } every ? $"; evaluation.every={every} makes it a tenth" : plan.IsMuch ? "; fewer evaluation.episodes make it less" : "";
        return $"{what}: {most}{share}{within}";
    }

    /// <summary>How the intervals were scaled (docs/algorithm.md 1.6).</summary>
    public static string Scaling(Settings settings)
    {
        double factor = settings.Run.Steps / (double)SettingsModule.paperSteps;
        return factor >= 1
            ? "Intervals are those of the paper's 3,000,000 steps or longer (scaling factor 1)."
            : $"Derived intervals are scaled to this length: factor {factor.ToString("0.####", CultureInfo.InvariantCulture)} of the paper's {Format.Count(SettingsModule.paperSteps)} steps.";
    }
}
