using System.Collections.Concurrent;
using System.ComponentModel;
using NE.Actors.RunDirectory;
using NE.Model.Fleet;
using NE.Shell.Host;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Processes;

/// <summary>
/// Works on the cells of a sweep, so many at a time, each in a process of its own. All that must outlive this process is in the cells' run
/// directories, failures.json and decisions.json, so it may be killed at any moment. A file that cannot be written now is tried again at every look.
/// </summary>
internal sealed class SweepRun : IShownSweep
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private readonly ShellHost host;
    private readonly SweepPlan plan;
    private readonly SweepPaths paths;
    private readonly CellFailures failures;
    private readonly Contests contests;
    private readonly ICellRunner runner;
    private readonly string? seq;
    private readonly JournalPlace? journal;
    private readonly string build;
    private readonly TimeProvider clock;
    private readonly long began;
    private readonly List<CellWork> works;
    private readonly Dictionary<string, CellWork> byName;
    private readonly TaskCompletionSource<string> stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource abandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<string> told = [];
    private bool rebuilt;
    private SweepEstimate estimate;
    private SweepStatus status;

    /// <summary>A decision could not be stored: cells that wait for it are still to go on.</summary>
    private bool isUndecided;

    /// <param name="host">The outside world.</param>
    /// <param name="plan">Checked; its folder is locked by this process.</param>
    /// <param name="paths">Where the sweep lies.</param>
    /// <param name="runner">Where its cells run.</param>
    /// <param name="retryFailed">Try cells that failed once more.</param>
    /// <param name="seq">Handed on to every run; null for none.</param>
    /// <param name="journal">Where new runs have their journals; null for their own folders.</param>
    public SweepRun(ShellHost host, SweepPlan plan, SweepPaths paths, ICellRunner runner, bool retryFailed, string? seq, JournalPlace? journal = null)
    {
        this.journal = journal;
        (this.host, this.plan, this.paths, this.runner, this.seq) = (host, plan, paths, runner, seq);
        this.build = host.Build();
        this.clock = host.Clock;
        this.began = this.clock.GetTimestamp();
        this.failures = CellFailures.Read(paths);
        this.contests = Contests.Of(plan, paths);
        this.works = [.. plan.Cells.Select(cell => new CellWork(cell, CellInspection.CloseLook(paths.RunsFolder, cell.Cell, cell.Steps, this.failures)))];
        this.byName = this.works.ToDictionary(work => work.Name);

        foreach (CellWork work in this.works)
        {
            if (runner.Attach(work.Name, this.News.Enqueue) is { } going)
            {
                (work.Process, work.State, work.Resumed) = (going, CellState.Running, true);
            }

            work.Foreign = work.State is CellState.Running && work.Process is null;

            if (work.State is CellState.Complete)
            {
                this.failures.Remove(work.Name);
            }
            else if (work.State is CellState.Failed && retryFailed)
            {
                this.failures.Remove(work.Name);
                work.State = this.HasRun(work) ? CellState.Interrupted : CellState.Waiting;
            }
            else if (work.State is CellState.Failed)
            {
                work.Error = CellInspection.ErrorOf(paths.RunsFolder, work.Cell.Cell, this.failures);
            }

            work.Progress = CellProgress.Read(RunPaths.Of(paths.RunsFolder, work.Name), CellProgress.None);
        }

        this.estimate = SweepEstimate.Measure(paths.RunsFolder, this.works.Where(work => work.State is CellState.Complete).Select(work => work.Cell));
        this.status = this.Describe();
    }

    /// <summary>The newest status; from any thread.</summary>
    public SweepStatus Status => Volatile.Read(ref this.status);

    /// <summary>What happened, one line each, for whoever watches.</summary>
    public ConcurrentQueue<string> News { get; } = new();

    /// <summary>What the times rest on, as a sentence.</summary>
    public string Basis => this.estimate.Basis;

    /// <summary>Starts no further cell and lets those that work commit and stop. From any thread, and more than once.</summary>
    public void RequestStop(string reason) => this.stop.TrySetResult(reason);

    /// <summary>Returns from <see cref="Work"/> as soon as may be and leaves the processes as they are. From any thread.</summary>
    public void Abandon() => this.abandoned.TrySetResult();

    /// <summary>Ends every process at once; what they committed stays. From any thread.</summary>
    public void Kill()
    {
        foreach (CellWork work in this.works)
        {
            work.Process?.Kill();
        }
    }

    /// <summary>Returns when every cell is complete or failed, after a stop, or when those that worked have ended after the program was rebuilt.</summary>
    public async Task Work()
    {
        long looked = this.clock.GetTimestamp();
        bool stopping = false;

        while (!this.abandoned.Task.IsCompleted)
        {
            await this.TakeThoseThatEnded();

            if (this.stop.Task.IsCompleted && !stopping)
            {
                stopping = true;
                this.works.ForEach(work => work.Process?.RequestStop());
            }

            if (!stopping)
            {
                this.Decide();
                this.StartNext();
            }

            this.StoreFailures();
            Volatile.Write(ref this.status, this.Describe());

            if (!this.works.Any(work => work.Process is not null) && (stopping || this.rebuilt || !(this.isUndecided || this.works.Any(work => this.IsDue(work) || work.Foreign))))
            {
                return;
            }

            await Task.WhenAny([.. this.Ends(), this.abandoned.Task, .. stopping ? (Task[])[] : [this.stop.Task], Task.Delay(Look, this.clock)]);

            if (this.clock.GetElapsedTime(looked) >= Look)
            {
                looked = this.clock.GetTimestamp();
                this.LookAtRuns();
            }
        }
    }

    private IEnumerable<Task> Ends() => this.works.Where(work => work.Process is not null).Select(work => work.Process!.End);

    private void StartNext()
    {
        foreach (CellWork work in this.works)
        {
            if (this.rebuilt || this.works.Count(other => other.Process is not null) >= this.runner.Slots)
            {
                return;
            }

            if (this.IsDue(work) && this.IsFree(work) && this.IsSameBuild())
            {
                this.Start(work);
            }
        }
    }

    private bool IsDue(CellWork work) => work.IsUnfinished && this.contests.Seen(work.Cell.Cell, work.State, work.Progress.Evaluated) == work.State;

    /// <summary>Lets those go on that deserve it, wherever all trials of an arm have come as far as they have to.</summary>
    private void Decide()
    {
        bool hasArrived(SweepCell cell, long step) => this.byName[cell.Name] is var work && (work.State is CellState.Failed or CellState.Complete || work.Progress.Evaluated >= step);
        double returns(SweepCell cell, long step) => this.byName[cell.Name] is { State: CellState.Failed } failed && failed.Progress.Evaluated < step
            ? double.NaN
            : CellProgress.ReturnAt(RunPaths.Of(this.paths.RunsFolder, cell.Name), step);

        try
        {
            foreach (HalvingDecision decision in this.contests.Decide(this.clock.GetUtcNow(), hasArrived, returns, this.TellOnce))
            {
                this.News.Enqueue(decision.Sentence);
            }

            this.isUndecided = false;
        }
        catch (Exception passing) when (passing is IOException or UnauthorizedAccessException)
        {
            this.isUndecided = true;
            this.TellOnce($"it cannot be decided now which trials go on, and is tried again: {passing.Message}");
        }

        foreach (CellWork work in this.works.Where(work => work is { Process: not null, Pausing: false }))
        {
            // What it has to show it has shown. It commits, and goes on from there bit for bit if it may.
            if (this.contests.IsDropped(work.Cell.Cell) || this.contests.Goal(work.Cell.Cell) <= work.Progress.Evaluated)
            {
                work.Pausing = true;
                work.Process!.RequestStop();
            }
        }
    }

    /// <summary>Somebody may have begun, or even completed, the run by hand since it was looked at.</summary>
    private bool IsFree(CellWork work)
    {
        CellState now = CellInspection.StateOf(this.paths.RunsFolder, work.Cell.Cell, this.failures);

        if (now is CellState.Running or CellState.Complete)
        {
            this.TakeFromOthers(work, now);
            return false;
        }

        return true;
    }

    /// <summary>A cell of another build would not compare with those before it, and one that starts amid a build finds half of its files.</summary>
    private bool IsSameBuild()
    {
        if (this.host.Build() != this.build)
        {
            this.rebuilt = true;
            this.News.Enqueue("the program was rebuilt: no further cell is started; those that work go on to their end");
        }

        return !this.rebuilt;
    }

    private void Start(CellWork work)
    {
        work.Pausing = false;
        work.Newest = CellInspection.NewestStretch(RunPaths.Of(this.paths.RunsFolder, work.Name));
        bool resumes = work.Resumed = this.HasRun(work);
        var order = new CellOrder(
            this.plan.Name, work.Name, [.. work.Cell.Cell.Pairs(), .. CellOrder.Threads(work.Cell, this.runner.CoresPerCell)], this.seq, this.journal?.ToString() ?? (this.host.JournalUrl is null ? null : JournalAddress.Files));

        try
        {
            work.Process = this.runner.Start(order, this.News.Enqueue);
            (work.State, work.Error) = (CellState.Running, null);
            this.News.Enqueue($"{work.Name} {(resumes ? "goes on" : "begins")} {work.Process.Place}");
        }
        catch (Exception problem) when (problem is IOException or Win32Exception)
        {
            this.Fail(work, problem.Message, 0);
        }
    }

    private async Task TakeThoseThatEnded()
    {
        foreach (CellWork work in this.works.Where(work => work.Process is { End.IsCompleted: true }))
        {
            using IRunningCell process = work.Process!;
            work.Process = null;
            CellEnd end = await process.End;
            this.Take(work, end.ProcessId, end.ExitCode, end.LastWords);
        }
    }

    private void Take(CellWork work, int processId, int exitCode, string lastWords)
    {
        work.Progress = CellProgress.Read(RunPaths.Of(this.paths.RunsFolder, work.Name), work.Progress);

        switch (exitCode)
        {
            case CellExitCode.Complete:
                work.State = CellState.Complete;
                this.estimate = SweepEstimate.Measure(this.paths.RunsFolder, this.works.Where(other => other.State is CellState.Complete).Select(other => other.Cell));
                string evaluation = work.Progress.Evaluation is { } mean ? $", last evaluation {Format.Value(mean)}" : "";
                this.News.Enqueue($"{work.Name} is complete: {Format.Counted(work.Cell.Steps, "step")}{evaluation}");
                break;
            case CellExitCode.Interrupted when work.Pausing:
                work.State = CellState.Interrupted;
                this.News.Enqueue($"{work.Name} {(this.contests.IsDropped(work.Cell.Cell) ? "goes no further" : "waits for the other trials")}");
                break;
            case CellExitCode.Interrupted:
                work.State = CellState.Interrupted;
                work.Error = "stopped from outside";
                work.GivenUp = true;
                this.News.Enqueue($"{work.Name} was stopped and is committed");
                break;
            case var killed when CellExit.IsKill(killed):
                work.State = this.HasRun(work) ? CellState.Interrupted : CellState.Waiting;
                work.Error = $"killed by signal {exitCode - 128}";
                work.GivenUp = true;
                this.News.Enqueue($"{work.Name} was {work.Error}");
                break;
            // Nothing was touched. Somebody else was quicker: a run that an earlier sweep left was only just beginning when that sweep was killed.
            case CellExitCode.Unusable when this.IsTakenByOthers(work, processId):
                this.TakeFromOthers(work, this.CloseLook(work));
                break;
            default:
                this.Fail(work, CellExit.Error(exitCode, lastWords), exitCode);
                break;
        }
    }

    /// <summary>Whether somebody else works on the run, or did so since its process was started.</summary>
    private bool IsTakenByOthers(CellWork work, int processId)
    {
        var run = RunPaths.Of(this.paths.RunsFolder, work.Name);
        return (!work.Resumed && this.HasRun(work))
            || RunLock.Holder(run) is not null
            || (CellInspection.NewestStretch(run) is { } newest && newest.ProcessId != processId && newest.Started != work.Newest?.Started)
            || this.CloseLook(work) is CellState.Complete;
    }

    private CellState CloseLook(CellWork work) => CellInspection.CloseLook(this.paths.RunsFolder, work.Cell.Cell, work.Cell.Steps, this.failures);

    /// <summary>What another process makes, or made, of a cell.</summary>
    private void TakeFromOthers(CellWork work, CellState now)
    {
        (work.State, work.Foreign) = (now, now is CellState.Running);

        if (now is CellState.Failed)
        {
            work.Error = CellInspection.ErrorOf(this.paths.RunsFolder, work.Cell.Cell, this.failures);
            this.News.Enqueue($"{work.Name} failed in another process: {work.Error}");
        }
    }

    private void Fail(CellWork work, string error, int exitCode)
    {
        // A run's own last words begin with its name.
        string own = $"{work.Name} failed: ";
        error = error.StartsWith(own, StringComparison.Ordinal) ? error[own.Length..] : error;
        (work.State, work.Error) = (CellState.Failed, error);
        this.failures.Add(work.Name, new(error, exitCode, this.clock.GetUtcNow()));
        this.News.Enqueue($"{work.Name} failed: {error}");
        this.StoreFailures();
    }

    private void StoreFailures()
    {
        try
        {
            this.failures.Store();
        }
        catch (Exception passing) when (passing is IOException or UnauthorizedAccessException)
        {
            this.TellOnce($"which cells failed could not be stored, and is tried again: {passing.Message}");
        }
    }

    /// <summary>What is tried again every second is said once.</summary>
    private void TellOnce(string sentence)
    {
        if (this.told.Add(sentence))
        {
            this.News.Enqueue(sentence);
        }
    }

    private void LookAtRuns()
    {
        foreach (CellWork work in this.works.Where(work => work.State is CellState.Running))
        {
            work.Progress = CellProgress.Read(RunPaths.Of(this.paths.RunsFolder, work.Name), work.Progress, work.Cell.Settings.Learner.StartSteps.Value);

            if (work.Foreign && this.CloseLook(work) is var now and not CellState.Running)
            {
                this.TakeFromOthers(work, now);
            }
        }
    }

    private bool HasRun(CellWork work) => CellOrder.HasRun(this.paths.RunsFolder, work.Name);

    private SweepStatus Describe()
    {
        SweepEstimate now = this.estimate.With(this.works
            .Where(work => OwnSpeed(work) is not null)
            .Select(work => (work.Cell, 1 / OwnSpeed(work)!.Value)));
        CellStatus[] cells = [.. this.works.Select(work => new CellStatus(
            work.Name, this.contests.Seen(work.Cell.Cell, work.State, work.Progress.Evaluated), work.Cell.Steps, work.Progress, this.Left(work, now), work.Foreign, work.Error, this.paths.LogOf(work.Name)))];
        return new SweepStatus
        {
            Name = this.plan.Name,
            Smoke = this.plan.Smoke,
            Parallel = this.runner.Slots,
            Cells = cells,
            ElapsedSeconds = this.clock.GetElapsedTime(this.began).TotalSeconds,
            LeftSeconds = SweepEstimate.Together(
                cells.Where(cell => cell.State is not (CellState.Complete or CellState.Failed or CellState.Dropped)).OrderByDescending(cell => cell.State is CellState.Running).Select(cell => cell.LeftSeconds),
                Math.Max(1, this.runner.Slots)),
            Stopping = this.stop.Task.IsCompleted ? this.stop.Task.Result : null,
            Rebuilt = this.rebuilt,
        };
    }

    /// <summary>By its own speed if it shows one, else as cells like it take.</summary>
    private double Left(CellWork work, SweepEstimate estimate)
    {
        double steps = Math.Max(0, this.contests.LikelySteps(work.Cell.Cell, work.Cell.Steps) - work.Progress.Step);
        return work.State is CellState.Complete || this.contests.IsDropped(work.Cell.Cell) ? 0
            : OwnSpeed(work) is { } rate ? steps / rate
            : estimate.Seconds(work.Cell) * steps / work.Cell.Steps;
    }

    /// <summary>Steps per second of a running cell once it learns; random steps and heavy priming tell nothing of what is left.</summary>
    private static double? OwnSpeed(CellWork work) =>
        work.State is CellState.Running && work.Progress.Step > Math.Max(work.Cell.Settings.Learner.StartSteps.Value, work.Cell.Steps / 10)
            ? work.Progress.StepsPerSecond
            : null;
}
