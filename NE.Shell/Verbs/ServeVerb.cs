using System.Net;
using System.Security.Cryptography;
using NE.Actors.RunDirectory;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Running;
using NE.Shell.Serving;
using NE.Shell.Serving.Data;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Verbs;

/// <summary>`ne serve`, and the page beside a run or a sweep.</summary>
internal static class ServeVerb
{
    public static async Task<ExitCode> Serve(ServeCommand command, ShellHost host)
    {
        IPAddress address = Address(command.Address);

        foreach (string name in command.Names.Where(name => !SweepPaths.List(command.Runs).Contains(name)))
        {
            RunFolder.Find(command.Runs, name);
        }

        if (command.Fleet is { Address: null, KeyFile: not null })
        {
            throw new UserError("--fleet-key is the key of a fleet: give --fleet HOST:PORT too");
        }

        await using AskedFleet? fleet = command.Fleet.Address is { } member ? new AskedFleet(member, command.Fleet.Key(host, mayCreate: false), host.Clock) : null;
        // This machine's other users may look, and not stop runs that are not theirs.
        string? token = IPAddress.IsLoopback(address) && !command.Control ? null : host.ServeToken ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        await using PageServer page = await PageServer.Start(
            host, new(address, command.Port.Number, token, command.Control) { Fleet = fleet }, command.Runs, command.Names, orAnotherPort: !command.Port.Asked);
        host.Output.WriteLine($"{page.Url}  shows {Path.GetFullPath(command.Runs)}{(fleet is null ? "" : $" and the fleet of {fleet.Address}")}; Ctrl-C ends it");
        page.ReadAhead();
        SayIfWithoutCharts(host);
        var stopped = new TaskCompletionSource();
        using StopSignals signals = new StopSignals(_ => stopped.TrySetResult(), () => StopSignals.LeaveNow((int)ExitCode.Ok)).Listen();
        await stopped.Task;
        return ExitCode.Ok;
    }

    /// <summary>A page beside what this process works on; null when none was asked for.</summary>
    /// <param name="port">Where it listens.</param>
    /// <param name="runs">Folder of the runs.</param>
    /// <param name="fragment">What of the page to open, such as #/run/NAME.</param>
    /// <param name="host">The outside world.</param>
    public static async Task<PageServer?> Beside(PagePort? port, string runs, string fragment, ShellHost host)
    {
        if (port is not { } asked)
        {
            return null;
        }

        PageServer page = await PageServer.Start(host, new(IPAddress.Loopback, asked.Number, null, Control: false), runs, [], orAnotherPort: !asked.Asked);
        host.Output.WriteLine($"page         {page.Url}{fragment}");
        SayIfWithoutCharts(host);
        return page;
    }

    private static void SayIfWithoutCharts(ShellHost host)
    {
        if (!PageServer.HasCharts)
        {
            host.Error.WriteLine("ne: warning: this program was built where there was no npm, so the page has no charts; install npm (Debian: apt-get install npm) and build it again");
        }
    }

    private static IPAddress Address(string? text) => text switch
    {
        null or "localhost" => IPAddress.Loopback,
        _ when IPAddress.TryParse(text, out IPAddress? address) => address,
        _ => throw new UserError($"--host expects an address of this machine, such as 0.0.0.0 for all of them, found '{text}'"),
    };
}
