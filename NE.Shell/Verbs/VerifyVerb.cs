using System.Text.Json;
using NE.Actors.Configuration;
using NE.Actors.Integrity;
using NE.Actors.RunDirectory;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Verbs;

/// <summary>`ne verify`</summary>
internal static class VerifyVerb
{
    private const int Attempts = 5;

    public static ExitCode Verify(VerifyCommand command, ShellHost host)
    {
        string[] names = command.Names.Count == 0 ? [.. RunFolder.List(command.Runs)] : [.. command.Names.SelectMany(name => StoredSweep.RunsOf(command.Runs, name)).Distinct()];

        if (names.Length == 0)
        {
            host.Output.WriteLine($"there are no runs in {Path.GetFullPath(command.Runs)}");
            return ExitCode.Ok;
        }

        Verified[] all = [.. names.Select(name => Examine(RunFolder.Find(command.Runs, name), command.Deep))];

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(all, Json.Options));
        }
        else
        {
            Array.ForEach(all, run => Say(run, host));
            host.Output.WriteLine(
                $"{all.Count(run => run.IsWhole)} whole, {all.Count(run => !run.IsWhole)} damaged"
                + (command.Deep ? "" : "; replay rows were not read (--deep reads them)"));
        }

        return all.All(run => run.IsWhole) ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>A run at work may let files go while they are read; what is really damaged is damaged the next time too.</summary>
    private static Verified Examine(RunPaths run, bool deep)
    {
        for (int attempt = 1; ; attempt++)
        {
            Examination examination = RunExamination.Examine(run, deep);
            Verified verified = new(run.Name, [.. examination.Checkpoints], [.. Files(run), .. examination.Findings]);

            if (verified.IsWhole || attempt == Attempts || RunLock.Holder(run) is null)
            {
                return verified;
            }
        }
    }

    /// <summary>The files that the shell writes.</summary>
    private static IEnumerable<Finding> Files(RunPaths run)
    {
        if (Read(() => StoredRunInfo.Of(run).Damage) is { } info)
        {
            yield return new(Path.GetFileName(run.RunInfo), "", info, File.Exists(run.Journal) ? Remedy.MadeAnew : Remedy.Copy);
        }

        if (Read(() => StoredConfiguration.Read(run).Damage) is { } configuration)
        {
            yield return new(Path.GetFileName(run.Configuration), "", $"It {configuration}.", File.Exists(run.Journal) ? Remedy.MadeAnew : Remedy.Copy);
        }

        static string? Read(Func<string?> read)
        {
            try
            {
                return read();
            }
            catch (Exception problem) when (Failures.IsExpected(problem) || Failures.IsUserError(problem))
            {
                return problem.Message;
            }
        }
    }

    private static void Say(Verified run, ShellHost host)
    {
        string checkpoints = run.Checkpoints.Count == 0
            ? "no checkpoint"
            : string.Join(", ", run.Checkpoints.Select(checkpoint => $"step {Format.Count(checkpoint.Step)} {(checkpoint.IsResumable ? "can be resumed" : "CANNOT be resumed")}"));
        host.Output.WriteLine($"{run.Run}: {(run.IsWhole ? "whole" : "DAMAGED")}; {checkpoints}");

        foreach (Finding finding in run.Findings)
        {
            host.Output.WriteLine($"  {finding.File}{(finding.Place.Length > 0 ? $", {finding.Place}" : "")}: {finding.Problem} {Advice(run.Run, finding.Remedy)}");
        }
    }

    private static string Advice(string run, Remedy remedy) => remedy switch
    {
        Remedy.MadeAnew => $"`ne resume {run}` and `ne repair {run}` make it anew.",
        Remedy.Repair => $"`ne repair {run}` keeps what is whole of it.",
        Remedy.PreviousCheckpoint => $"`ne resume {run} --checkpoint previous` does not need it.",
        _ => "Only a copy of the file helps.",
    };

    /// <param name="Run">Its name.</param>
    /// <param name="Checkpoints">The retained ones, newest first.</param>
    /// <param name="Findings">What is damaged.</param>
    private sealed record Verified(string Run, IReadOnlyList<ExaminedCheckpoint> Checkpoints, IReadOnlyList<Finding> Findings)
    {
        public bool IsWhole => this.Findings.Count == 0;
    }
}
