using NE.Actors.Cast;
using NE.Actors.Fleet;
using NE.Actors.Fleet.Environments;
using NE.Actors.Hosting;
using NE.Model;
using NE.Shell.Fleet;
using NE.Shell.Host;
using Serilog;

namespace NE.Shell.Running;

/// <summary>The fleet that holds the environments of a run: one that is there, or processes of this machine that are started for it.</summary>
internal sealed class RunFleet : IAsyncDisposable
{
    private readonly ShellHost host;
    private readonly FleetMember member;
    private readonly RunEnvironments environments;
    private readonly Settings settings;
    private readonly string keyFile;
    private WorkerProcesses? workers;

    private RunFleet(ShellHost host, FleetMember member, RunEnvironments environments, Settings settings, string keyFile) =>
        (this.host, this.member, this.environments, this.settings, this.keyFile) = (host, member, environments, settings, keyFile);

    /// <summary>Joins before anything is created; null where the run's environments live on threads of this process.</summary>
    /// <param name="host">The outside world.</param>
    /// <param name="arguments">Which fleet.</param>
    /// <param name="settings">Of the run.</param>
    /// <param name="run">Its name.</param>
    /// <param name="versions">Of this machine.</param>
    /// <exception cref="UserError">A fleet and workers of its own are asked for at the same time, or there is no key.</exception>
    /// <exception cref="FleetException">The fleet cannot be reached, or lets nobody like this in.</exception>
    public static async Task<RunFleet?> Join(ShellHost host, FleetArguments arguments, Settings settings, string run, IReadOnlyDictionary<string, string> versions)
    {
        int workers = settings.Schedule.Workers;

        if (arguments.Address is null && workers == 0)
        {
            return arguments.KeyFile is null ? null : throw new UserError("--fleet-key is the key of a fleet: give --fleet HOST:PORT too, or schedule.workers=N");
        }

        if (arguments.Address is not null && workers > 0)
        {
            throw new UserError($"schedule.workers={workers} starts processes for this run alone, and --fleet {arguments.Address} asks for nodes that are there; give one of them (schedule.workers=0)");
        }

        FleetKey key = arguments.Key(host, mayCreate: arguments.Address is null);
        var environments = new RunEnvironments(run, versions.GetValueOrDefault("MuJoCo"));
        FleetMember member = await FleetMember.Join(
            new FleetOptions
            {
                Key = key,
                Name = $"run {run}",
                Build = FleetBuild.Text,
                // What starts its own workers is what their fleet is there for.
                Roles = arguments.Address is null ? [FleetOptions.RunRole, FleetOptions.NodeRole] : [FleetOptions.RunRole],
                OldestMayBeLost = arguments.Address is not null,
                Bind = arguments.Address is { } seed ? FleetMember.BindFor(seed) : "127.0.0.1",
                Seeds = arguments.Address is { } asked ? [asked] : [],
                Loggers = [SerilogLogger.TypeName],
            },
            card => card with { Versions = versions, Moves = environments.Moves.Newest },
            host.Clock.GetUtcNow(),
            [environments]);
        return new RunFleet(host, member, environments, settings, arguments.KeyFile ?? host.FleetKey);
    }

    /// <summary>Lets the run's environments live in the fleet.</summary>
    public void Attach(ReadyRun ready)
    {
        ready.Request = ready.Request with { EnvironmentHosts = this.environments.Host };

        if (this.settings.Schedule.Workers is > 0 and var count)
        {
            this.workers = new WorkerProcesses(
                this.host, count, this.settings.Schedule.Environments, this.member.Address, this.keyFile, ready.Request.Paths.Logs, sentence => Log.Logger.Warning("{Sentence:l}", sentence));
        }
    }

    /// <summary>Calls when the fleet lets this process in no more, so that the run waits in vain.</summary>
    public void WhenShutOut(Action<string> tell) => this.member.Life.ContinueWith(
        life => tell(life.Exception!.GetBaseException().Message), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    public async ValueTask DisposeAsync()
    {
        await this.member.DisposeAsync();

        if (this.workers is { } started)
        {
            await started.DisposeAsync();
        }

        Log.Logger.Information(
            "The fleet took {Rounds} rounds of an environment; {Moves} times one went on at another node", this.environments.Counts.Rounds, this.environments.Counts.Moves);
    }
}
