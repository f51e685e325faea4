using NE.Actors.Stores;
using NE.Actors.Storage;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Running;
using NE.Shell.Verbs;

namespace NE.Shell;

/// <summary>Executes a command line: parse into a union, then one switch.</summary>
public static class Shell
{
    /// <summary>Runs a verb to its end. Never throws for anything that a user can cause.</summary>
    public static async Task<ExitCode> Run(IReadOnlyList<string> arguments, ShellHost host)
    {
        switch (CommandLine.Parse(arguments, host.DefaultRuns))
        {
            case CommandLineResult.Print help:
                return await Guarded(() => Task.FromResult(Print(help.Text, host)), host);
            case CommandLineResult.Wrong wrong:
                foreach (string problem in wrong.Problems)
                {
                    // A misspelt option leaves the address after it to be taken for something else, and repeated.
                    LastWords.Say(host.Error, $"ne: {JournalUrl.WithoutLogin(problem)}");
                }

                LastWords.Say(host.Error, $"See `{$"ne {wrong.Verb}".Trim()} --help`.");
                return ExitCode.UserError;
            case CommandLineResult.Execute execute:
                return await Guarded(() => Begin(execute.Command, host), host);
            default:
                throw new InvalidOperationException("a command line is help, a problem or a command");
        }
    }

    private static async Task<ExitCode> Guarded(Func<Task<ExitCode>> work, ShellHost host)
    {
        try
        {
            return await work();
        }
        catch (Exception problem) when (problem is UserError || Failures.IsUserError(problem))
        {
            LastWords.Say(host.Error, $"ne: {JournalUrl.WithoutLogin(problem.Message)}");
            return ExitCode.UserError;
        }
        catch (UnauthorizedAccessException problem)
        {
            LastWords.Say(host.Error, $"ne: {problem.Message}\nGive yourself the right to read and write there, or choose another place: --runs DIR, or -o for what a verb writes.");
            return ExitCode.Failed;
        }
        catch (Exception problem) when (problem is ShellFailure || Failures.IsExpected(problem))
        {
            LastWords.Say(host.Error, $"ne: {problem.Message}");
            return ExitCode.Failed;
        }
        catch (Exception mistake)
        {
            LastWords.Say(host.Error, $"ne: a mistake of this program; please report it with this text:\n{mistake}");
            return ExitCode.Failed;
        }
    }

    private static Task<ExitCode> Begin(Command command, ShellHost host)
    {
        JournalAddress.RememberLogin(host);
        Arm(host.Fault);
        return Execute(command, host);
    }

    private static void Arm(string? fault)
    {
        try
        {
            if (fault is not null)
            {
                Faults.Arm(fault);
            }
        }
        catch (FormatException problem)
        {
            throw new UserError(problem.Message);
        }
    }

    private static ExitCode Print(string text, ShellHost host)
    {
        host.Output.Write(text);
        return ExitCode.Ok;
    }

    private static Task<ExitCode> Execute(Command command, ShellHost host) => command switch
    {
        TrainCommand train => TrainVerb.Train(train, host),
        ResumeCommand resume => ResumeVerb.Resume(resume, host),
        SweepCommand sweep => SweepVerb.Sweep(sweep, host),
        StatusCommand status => Task.FromResult(StatusVerb.Status(status, host)),
        ServeCommand serve => ServeVerb.Serve(serve, host),
        NodeCommand node => NodeVerb.Node(node, host),
        FleetCommand fleet => FleetVerb.Show(fleet, host),
        FleetKeyCommand key => Task.FromResult(FleetVerb.MakeKey(key, host)),
        EvalCommand eval => Task.FromResult(EvalVerb.Eval(eval, host)),
        RecordCommand record => Task.FromResult(RecordVerb.Record(record, host)),
        ExportCommand export => Task.FromResult(ExportVerb.Export(export, host)),
        ProbeCommand probe => Task.FromResult(ProbeVerb.Probe(probe, host)),
        DigestCommand digest => Task.FromResult(DigestVerb.Digest(digest, host)),
        CompareDigestCommand compare => Task.FromResult(DigestVerb.Compare(compare, host)),
        VerifyCommand verify => Task.FromResult(VerifyVerb.Verify(verify, host)),
        RepairCommand repair => Task.FromResult(RepairVerb.Repair(repair, host)),
        TortureCommand torture => Task.FromResult(TortureVerb.Torture(torture, host)),
        TopologyCommand topology => Task.FromResult(TopologyVerb.Topology(topology, host)),
        ReportCommand report => Task.FromResult(ReportVerb.Report(report, host)),
        ArchiveCommand archive => Task.FromResult(ArchiveVerb.Archive(archive, host)),
        RestoreCommand restore => Task.FromResult(RestoreVerb.Restore(restore, host)),
        PruneCommand prune => Task.FromResult(PruneVerb.Prune(prune, host)),
        JournalCopyCommand copy => Task.FromResult(JournalVerb.Copy(copy, host)),
        SeqSetupCommand seq => SeqVerb.Setup(seq, host),
        EnvironmentListCommand list => Task.FromResult(EnvironmentVerbs.List(list, host)),
        EnvironmentShowCommand show => Task.FromResult(EnvironmentVerbs.Show(show, host)),
        EnvironmentRunCommand run => Task.FromResult(EnvironmentRunVerb.Run(run, host)),
        EnvironmentReplayCommand replay => Task.FromResult(EnvironmentVerbs.Replay(replay, host)),
        DoctorCommand doctor => DoctorVerb.Examine(doctor, host),
        ConfigShowCommand config => Task.FromResult(ConfigVerbs.Show(config, host)),
        ConfigSchemaCommand schema => Task.FromResult(ConfigVerbs.Schema(schema, host)),
        CompletionCommand completion => Task.FromResult(Print(Completion.Script(completion.Shell), host)),
        CompleteCommand complete => Task.FromResult(Print(string.Concat(Completion.Of(complete.Line, complete.Runs).Select(word => word + "\n")), host)),
        TestCommand => throw new UserError("the tests are built and run by the launcher: ./ne test"),
        PackCommand => throw new UserError("packages are made by the launcher: ./ne pack"),
        BenchCommand => throw new UserError("the benchmarks are built and run by the launcher: ./ne bench"),
        _ => throw new InvalidOperationException($"no code executes {command.GetType().Name}"),
    };
}
