using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Model.Networks;
using NE.Model.Replay;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>
/// The asynchronous schedule: environments run free, held by credits. An environment is granted its next batch of steps only while the
/// learner is at most a few batches behind, which holds the sample-to-insert ratio. A barrier is made only when one is needed (a commit, a
/// stop, the end): no credit is given until everything granted is stored and learned from. Not deterministic, but counters are exact.
/// </summary>
internal sealed class FreeConductor : IConductor
{
    /// <summary>Least steps of one credit; smaller batches cost more messages than they are worth.</summary>
    private const int LeastBatch = 16;

    /// <summary>Batches per environment that the learner may be behind.</summary>
    private const int SlackBatches = 4;

    private readonly Settings settings;
    private readonly RunCast cast;
    private readonly RunBook book;
    private readonly LearnerClock clock;
    private readonly Phase phase;
    private readonly int batch;
    private readonly long slack;
    private readonly TransitionBlock[] blocks;
    private readonly StepRound?[] stepping;
    private readonly bool[] busy;

    private Policy policy;
    private long granted;
    private long learnedSteps;
    private long learnTo;
    private long? measureAt;
    private bool probe;
    private long measuringAt;
    private bool learning;
    private bool draining;
    private Window window;

    public FreeConductor(Settings settings, RunCast cast, RunBook book, LearnerClock clock, int rowFloats, long head, Policy policy)
    {
        (this.settings, this.cast, this.book, this.clock) = (settings, cast, book, clock);
        this.Head = head;
        this.policy = policy;
        this.phase = LedgerModule.phase(book.Ledger);
        this.window = new Window(Rounds.windowFirst(settings, this.phase, head), head);
        this.batch = Math.Max(LeastBatch, settings.Schedule.RoundSteps);
        this.slack = (long)SlackBatches * this.batch * cast.Environments.Count;
        this.blocks = [.. cast.Environments.Select((_, i) => new TransitionBlock(i, rowFloats, this.batch))];
        this.stepping = new StepRound?[cast.Environments.Count];
        this.busy = new bool[cast.Environments.Count];
        this.Steps = this.granted = book.Position.Steps;
        this.learnedSteps = book.Position.LearnedSteps;
        this.GradientSteps = book.Position.GradientSteps;
    }

    public long Head { get; private set; }

    public long Steps { get; private set; }

    public long GradientSteps { get; private set; }

    private bool IsOver => PhaseModule.isOver(this.settings, this.phase, this.Steps, this.book.Ledger.Episodes);

    public void Release()
    {
        if (this.book.Position.Round == 0)
        {
            this.book.StartEvaluation(this.policy, 0);
        }
        this.draining = this.IsOver;
        if (!this.draining)
        {
            this.Pump();
        }
        this.LookAgain();
    }

    public void Drain()
    {
        this.draining = true;
        this.LookAgain();
    }

    public bool Take(RoundStepped stepped)
    {
        this.stepping[stepped.Block.Environment] = null;
        this.cast.Replay.Tell(new AppendRound([stepped.Block], this.window.First), this.cast.Self);
        return false;
    }

    public bool Take(RoundAppended rows)
    {
        var block = rows.Blocks[0];
        var before = this.Steps;
        this.Head = rows.Head;
        this.Steps += block.Count;
        this.book.Record(rows.Blocks);
        this.busy[block.Environment] = false;
        if (Rounds.fired(this.settings.Evaluation.Every.Value, before, this.Steps))
        {
            this.book.StartEvaluation(this.policy, this.Steps);
        }
        if (Rounds.firedUnlessOff(this.settings.Video.Every, before, this.Steps))
        {
            this.book.StartVideo(this.policy, this.Steps);
        }
        if (Rounds.metricsDue(this.settings, this.phase, before, this.Steps))
        {
            this.measureAt = this.Steps;
            this.probe |= Rounds.probeDue(this.settings, this.phase, before, this.Steps);
        }
        // Rows are committed at a barrier: one is due when the cadence fires, and at the end.
        this.draining |= Rounds.fired(this.settings.Checkpoint.Every, before, this.Steps) || this.IsOver;
        return this.Pump();
    }

    public bool Take(Learned done)
    {
        this.clock.Stop();
        this.learning = false;
        this.learnedSteps = this.learnTo;
        if (done.Metrics is { } metrics)
        {
            // Measured before the gradient steps.
            this.book.Record(this.measuringAt, this.GradientSteps, this.window.Head - this.window.First, metrics);
        }
        this.GradientSteps = done.GradientSteps;
        this.policy = done.Policy;
        this.book.Record(done.Changes);
        return this.Pump();
    }

    public bool Take(RoundPassed passed) => this.Pump();

    public void Repeat(int environment)
    {
        if (this.stepping[environment] is { } work)
        {
            this.cast.Environments[environment].Tell(work, this.cast.Self);
        }
    }

    /// <summary>With nothing in flight there is no answer to wait for; the barrier still comes as a message, like every other.</summary>
    private void LookAgain()
    {
        if (this.draining)
        {
            this.cast.Self.Tell(new RoundPassed(), this.cast.Self);
        }
    }

    /// <summary>Gives whatever credit can be given now. True when a barrier that was asked for is reached.</summary>
    private bool Pump()
    {
        // What needs no learning gives credit at once.
        this.Learn();
        this.Grant();
        if (this.draining && !this.learning && !this.busy.Contains(true))
        {
            this.book.Advance(this.Steps, this.learnedSteps, this.GradientSteps);
            return true;
        }
        return false;
    }

    private void Grant()
    {
        for (var i = 0; i < this.busy.Length && !this.draining; i++)
        {
            var steps = (int)Math.Min(this.batch, PhaseModule.lastStep(this.settings, this.phase) - this.granted);
            if (this.busy[i] || steps <= 0 || !Rounds.mayGrant(this.settings, this.phase, this.slack, this.granted, this.learnedSteps, steps))
            {
                continue;
            }
            this.stepping[i] = new StepRound(this.granted, 1, steps, this.policy, this.blocks[i]);
            this.busy[i] = true;
            this.granted += steps;
            this.cast.Environments[i].Tell(this.stepping[i], this.cast.Self);
        }
    }

    private void Learn()
    {
        if (this.learning)
        {
            return;
        }
        // The steps at the start are not learned from.
        this.learnedSteps = Math.Max(this.learnedSteps, Math.Min(this.Steps, PhaseModule.learnFrom(this.settings, this.phase)));
        var updates = this.Owed();
        // At a replay ratio below one, some steps owe nothing.
        while (updates == 0 && this.learnTo < this.Steps)
        {
            this.learnedSteps = this.learnTo;
            updates = this.Owed();
        }
        if (updates == 0 && this.measureAt is null)
        {
            this.learnedSteps = this.learnTo;
            return;
        }
        this.window = new Window(Rounds.windowFirst(this.settings, this.phase, this.Head), this.Head);
        this.learning = true;
        this.clock.Start();
        this.cast.Learner.Tell(new Learn(this.window, updates, Measure: this.measureAt is not null, this.probe), this.cast.Self);
        // The cadence may fire again before the answer, which belongs to this step.
        this.measuringAt = this.measureAt ?? this.measuringAt;
        (this.measureAt, this.probe) = (null, false);
    }

    /// <summary>Gradient steps of the next batch of environment steps.</summary>
    private long Owed()
    {
        this.learnTo = Math.Min(this.Steps, this.learnedSteps + this.batch);
        return Rounds.updatesOwed(this.settings, this.phase, this.learnedSteps, this.learnTo);
    }
}
