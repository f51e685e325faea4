using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Model.Networks;
using NE.Model.Replay;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>
/// The two deterministic schedules. A round is: every environment takes its steps, their rows are appended, the learner takes the gradient
/// steps that are owed. Serial does the three in turn. Pipelined lets the learner work on the rows of the round before while the
/// environments step with the policy of the round before.
/// </summary>
internal sealed class LockstepConductor : IConductor
{
    private readonly Settings settings;
    private readonly RunCast cast;
    private readonly RunBook book;
    private readonly LearnerClock clock;
    private readonly Phase phase;
    private readonly bool pipelined;
    private readonly TransitionBlock[] blocks;
    private readonly StepRound?[] stepping;

    private Policy policy;
    private long stepsInRound;
    private long learnTo;
    private bool measure;
    private bool probe;
    private int environmentsLeft;
    private bool appended;
    private bool learned;
    private Learned? result;
    private Window window;

    public LockstepConductor(Settings settings, RunCast cast, RunBook book, LearnerClock clock, int rowFloats, long head, Policy policy)
    {
        (this.settings, this.cast, this.book, this.clock) = (settings, cast, book, clock);
        this.phase = LedgerModule.phase(book.Ledger);
        this.pipelined = settings.Schedule.Kind.IsPipelined;
        this.Head = head;
        this.policy = policy;
        this.blocks = [.. cast.Environments.Select((_, i) => new TransitionBlock(i, rowFloats, settings.Schedule.RoundSteps))];
        this.stepping = new StepRound?[cast.Environments.Count];
    }

    public long Head { get; private set; }

    public long Steps => this.book.Position.Steps;

    public long GradientSteps => this.book.Position.GradientSteps;

    public void Release()
    {
        var position = this.book.Position;
        var due = LedgerModule.due(this.settings, this.book.Ledger);
        if (due.Evaluation)
        {
            this.book.StartEvaluation(this.policy, position.Steps);
        }
        if (due.Video)
        {
            this.book.StartVideo(this.policy, position.Steps);
        }
        (this.measure, this.probe) = (due.Metrics, due.Probe);
        var over = PhaseModule.isOver(this.settings, this.phase, position.Steps, this.book.Ledger.Episodes);
        this.stepsInRound = over ? 0 : Rounds.stepsPerRound(this.settings);
        this.learnTo = position.Steps + (this.pipelined ? 0 : this.stepsInRound);
        this.window = new Window(Rounds.windowFirst(this.settings, this.phase, this.Head), this.Head);
        this.result = null;
        this.learned = false;
        this.appended = this.stepsInRound == 0;
        this.environmentsLeft = this.appended ? 0 : this.cast.Environments.Count;

        if (this.environmentsLeft > 0)
        {
            var stride = this.cast.Environments.Count;
            for (var i = 0; i < stride; i++)
            {
                this.stepping[i] = new StepRound(
                    position.Steps + i, stride, this.settings.Schedule.RoundSteps, this.policy, this.blocks[i]);
                this.cast.Environments[i].Tell(this.stepping[i], this.cast.Self);
            }
        }
        if (this.pipelined || this.appended)
        {
            this.BeginToLearn();
        }
        if (this.appended && this.learned)
        {
            // Nothing to wait for; the barrier still comes as a message, like every other.
            this.cast.Self.Tell(new RoundPassed(), this.cast.Self);
        }
    }

    public void Drain()
    {
        // Every round ends in a barrier.
    }

    public bool Take(RoundStepped stepped)
    {
        this.stepping[stepped.Block.Environment] = null;
        if (--this.environmentsLeft == 0)
        {
            this.cast.Replay.Tell(new AppendRound(this.blocks, this.window.First), this.cast.Self);
        }
        return false;
    }

    public bool Take(RoundAppended rows)
    {
        this.appended = true;
        this.Head = rows.Head;
        if (!this.pipelined)
        {
            this.window = new Window(Rounds.windowFirst(this.settings, this.phase, this.Head), this.Head);
            this.BeginToLearn();
        }
        return this.TryClose();
    }

    public bool Take(Learned done)
    {
        this.clock.Stop();
        this.result = done;
        this.learned = true;
        return this.TryClose();
    }

    public void Repeat(int environment)
    {
        if (this.stepping[environment] is { } work)
        {
            this.cast.Environments[environment].Tell(work, this.cast.Self);
        }
    }

    public bool Take(RoundPassed passed) => this.TryClose();

    private void BeginToLearn()
    {
        var updates = Rounds.updatesOwed(this.settings, this.phase, this.book.Position.LearnedSteps, this.learnTo);
        if (updates == 0 && !this.measure)
        {
            this.learned = true;
            return;
        }
        this.clock.Start();
        this.cast.Learner.Tell(new Learn(this.window, updates, this.measure, this.probe), this.cast.Self);
    }

    private bool TryClose()
    {
        if (!this.appended || !this.learned)
        {
            return false;
        }
        var before = this.book.Position;
        if (this.result?.Metrics is { } metrics)
        {
            this.book.Record(before.Steps, before.GradientSteps, this.window.Head - this.window.First, metrics);
        }
        this.book.Advance(before.Steps + this.stepsInRound, this.learnTo, this.result?.GradientSteps ?? before.GradientSteps);
        if (this.result is { } done)
        {
            this.book.Record(done.Changes);
            this.policy = done.Policy;
        }
        if (this.stepsInRound > 0)
        {
            this.book.Record(this.blocks);
        }
        return true;
    }
}
