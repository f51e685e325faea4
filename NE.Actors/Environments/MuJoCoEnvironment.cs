using System.Buffers.Binary;
using System.Text;
using NE.Actors.MuJoCo;
using NE.Actors.Rendering;
using NE.Model;
using NE.Model.Tasks;
using NE.Model.Tasks.Custom;

namespace NE.Actors.Environments;

/// <summary>A task on its own MuJoCo simulator.</summary>
public sealed class MuJoCoEnvironment : IEnvironment, IRenderable
{
    private const uint Magic = 0x5645454E; // "NEEV"
    private const int Format = 1;

    private readonly ITask task;
    private readonly Simulator simulator;
    private readonly MuJoCoModel? ownModel;
    private readonly double[] wideObservation;
    private readonly double[] controls;
    private readonly double[] memory;
    private readonly double[] terms;
    private readonly byte[] header;
    private int elapsed;
    private bool underWay;
    private Renderer? renderer;

    /// <summary>On the robot that the task names. Throws InvalidDataException when the robot's model is not the one that the task was written for.</summary>
    public MuJoCoEnvironment(ITask task) : this(task, MuJoCoModel.OfRobot(task.Info.Robot))
    {
    }

    /// <summary>On a model that may be shared; a task that changes its model gets a copy. Throws InvalidDataException when the model is not
    /// the one that the task was written for.</summary>
    /// <param name="fingerprint">Of a task that is not one of ours.</param>
    public MuJoCoEnvironment(ITask task, MuJoCoModel model, EnvironmentFingerprint? fingerprint = null)
    {
        this.task = task;
        var info = task.Info;
        this.Spec = Describe(info) with { Fingerprint = fingerprint };
        CheckModel(info, model);
        this.ownModel = info.OwnModel ? model.Copy() : null;
        this.simulator = new Simulator(this.ownModel ?? model)
        {
            TakesContactForces = task is CustomTask { ReadsContactForces: true },
            // Our own tasks stay as they were published.
            NeedsEveryContact = fingerprint is not null,
        };
        this.wideObservation = new double[info.ObservationSize];
        this.controls = new double[model.NU];
        this.memory = new double[info.MemorySize];
        this.terms = new double[info.RewardTerms.Length];
        var id = Encoding.UTF8.GetBytes(info.Id);
        this.header = [.. BitConverter.GetBytes(Magic), .. BitConverter.GetBytes(Format), .. BitConverter.GetBytes(id.Length), .. id];
    }

    public EnvironmentSpec Spec { get; }

    /// <summary>From where the task is looked at.</summary>
    public Camera Camera => this.task.Info.Camera;

    /// <summary>The simulator, for views and tests. Stepping it past the environment ends the episode's meaning.</summary>
    public Simulator Simulator => this.simulator;

    /// <summary>The reward's terms of the last step, in the order of the task's RewardTerms.</summary>
    public ReadOnlySpan<double> RewardTerms => this.terms;

    /// <inheritdoc/>
    public bool? IsInverted => (this.task as IPosture)?.IsInverted(this.simulator);

    /// <summary>Steps made in this episode.</summary>
    public int Elapsed => this.elapsed;

    public void Reset(Draws draws, Span<float> observation)
    {
        this.RequireObservation(observation);
        this.simulator.ResetData();
        if (this.task.Info.Stepping.IsControlSuite)
        {
            // As dm_control does: the warm start of the solver comes from here.
            this.simulator.ForwardPassively();
            this.task.Reset(draws, this.simulator);
            this.simulator.ForwardPassively();
        }
        else
        {
            this.task.Reset(draws, this.simulator);
            this.simulator.Forward();
        }

        this.elapsed = 0;
        this.underWay = true;
        Array.Clear(this.terms);
        this.Observe(observation);
    }

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        this.RequireObservation(observation);
        this.RequireAction(action);
        if (!this.underWay)
        {
            throw new InvalidOperationException($"No episode of {this.Spec.Id} is under way: it was never started or is over. Call Reset first.");
        }

        for (var i = 0; i < action.Length; i++)
        {
            this.controls[i] = action[i];
        }

        this.task.Before(this.simulator, this.memory);
        // Until the step has succeeded there is no episode to continue.
        this.underWay = false;
        this.elapsed++;
        try
        {
            this.simulator.Step(this.controls, this.task.Info.FrameSkip, this.task.Info.Stepping);
        }
        catch (PhysicsDivergedException)
        {
            Array.Clear(this.terms);
            this.Narrow(observation);
            return new StepResult(0, Terminated: false, Truncated: true, Diverged: true);
        }

        var evaluation = this.task.Evaluate(this.simulator, this.controls, this.memory, this.terms);
        FiniteNumbers.RequireReward(this.Spec.Id, evaluation.Reward);
        var result = new StepResult(evaluation.Reward, evaluation.Terminated, this.elapsed >= this.Spec.TimeLimit);
        this.underWay = !result.IsLast;
        this.Observe(observation);
        return result;
    }

    public byte[] SaveState()
    {
        var tail = new byte[5];
        BinaryPrimitives.WriteInt32LittleEndian(tail, this.elapsed);
        tail[4] = this.underWay ? (byte)1 : (byte)0;
        return [.. this.header, .. tail, .. this.simulator.SaveState()];
    }

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation)
    {
        this.RequireObservation(observation);
        if (!state.StartsWith(this.header) || state.Length < this.header.Length + 5)
        {
            throw new InvalidDataException(
                $"Expected a saved state of {this.Spec.Id} (format {Format}), found {state.Length} bytes that are damaged or belong to another task.");
        }

        var tail = state[this.header.Length..];
        this.simulator.RestoreState(tail[5..], this.task.Info.Stepping);
        this.elapsed = BinaryPrimitives.ReadInt32LittleEndian(tail);
        this.underWay = tail[4] != 0;
        Array.Clear(this.terms);
        this.Observe(observation);
    }

    public double? SecondsPerStep => this.task.Info.ControlTimestep;

    /// <summary>Draws from the task's camera. The renderer is made at the first picture and belongs to its thread.</summary>
    public void Render(int width, int height, Span<byte> rgb)
    {
        if (this.renderer is { } made && (made.Width != width || made.Height != height))
        {
            made.Dispose();
            this.renderer = null;
        }

        this.renderer ??= new Renderer(this.simulator, width, height, this.task.Info.Camera);
        this.renderer.Render(rgb);
    }

    public void Dispose()
    {
        // It looks at the simulator.
        this.renderer?.Dispose();
        this.renderer = null;
        this.simulator.Dispose();
        this.ownModel?.Dispose();
    }

    internal static EnvironmentSpec Describe(TaskInfo info) =>
        new(info.Id, info.ObservationSize, info.ActionSize, [.. info.ActionLow], [.. info.ActionHigh], info.TimeLimit);

    private static void CheckModel(TaskInfo info, MuJoCoModel model)
    {
        var fits = model.Timestep == info.Timestep && model.NU == info.ActionSize;
        for (var i = 0; fits && i < model.NU; i++)
        {
            var (low, high) = model.ControlRange(i);
            fits = (float)low == info.ActionLow[i] && (float)high == info.ActionHigh[i];
        }

        if (!fits)
        {
            throw new InvalidDataException(
                $"The model '{model.Name}' does not fit the task {info.Id}: its timestep is {model.Timestep} s with {model.NU} actuators; "
                + $"expected {info.Timestep} s, {info.ActionSize} actuators and the task's action bounds.");
        }
    }

    private void Observe(Span<float> observation)
    {
        this.task.Observe(this.simulator, this.wideObservation);
        this.Narrow(observation);
    }

    private void Narrow(Span<float> observation)
    {
        for (var i = 0; i < observation.Length; i++)
        {
            observation[i] = (float)this.wideObservation[i];
            if (!float.IsFinite(observation[i]))
            {
                throw FiniteNumbers.Refusal(this.Spec.Id, i, this.wideObservation[i]);
            }
        }
    }

    private void RequireObservation(Span<float> observation)
    {
        if (observation.Length != this.Spec.ObservationSize)
        {
            throw new ArgumentException(
                $"An observation of {this.Spec.Id} has {Counted.Of(this.Spec.ObservationSize, "number")}; the given memory has {observation.Length}.", nameof(observation));
        }
    }

    private void RequireAction(ReadOnlySpan<float> action)
    {
        if (action.Length != this.Spec.ActionSize)
        {
            throw new ArgumentException($"An action of {this.Spec.Id} has {Counted.Of(this.Spec.ActionSize, "number")}; found {action.Length}.", nameof(action));
        }

        for (var i = 0; i < action.Length; i++)
        {
            if (!float.IsFinite(action[i]))
            {
                throw new ArgumentException($"Action {i} of {this.Spec.Id} is {action[i]}; it must be a finite number.", nameof(action));
            }
        }
    }
}
