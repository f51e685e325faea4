using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using NE.Actors.Fleet;
using NE.Shell.Host;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Processes;

namespace NE.Shell.Running;

/// <summary>Nodes on this machine that hold the environments of one run, each in a process of its own. One that dies is started again; all end with
/// this process, however it ends.</summary>
internal sealed class WorkerProcesses : IAsyncDisposable
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>One that worked for so long did not fail at its start.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource ending = new();
    private readonly Task[] lives;

    /// <param name="host">The outside world.</param>
    /// <param name="count">How many.</param>
    /// <param name="environments">Of the run; each holds its part.</param>
    /// <param name="run">The run's process.</param>
    /// <param name="keyFile">The fleet's key.</param>
    /// <param name="logs">Folder for what they print.</param>
    /// <param name="tell">Gets a sentence when one has died.</param>
    public WorkerProcesses(ShellHost host, int count, int environments, FleetAddress run, string keyFile, string logs, Action<string> tell)
    {
        Directory.CreateDirectory(logs);
        string share = ((environments + count - 1) / count).ToString(CultureInfo.InvariantCulture);
        this.lives = [.. Enumerable.Range(1, count).Select(number => this.Live(
            [.. host.Executable, "node", "--name", $"worker-{number}", "--port", "0", "--seed-node", run.ToString(), "--slots", "0", "--environments", share, "--fleet-key", keyFile, "--stop-at-eof"],
            Path.Combine(logs, $"worker-{number}.log"),
            number,
            tell))];
    }

    public async ValueTask DisposeAsync()
    {
        await this.ending.CancelAsync();
        await Task.WhenAll(this.lives);
        this.ending.Dispose();
    }

    private async Task Live(string[] command, string log, int number, Action<string> tell)
    {
        TimeSpan pause = ShortestPause;

        while (!this.ending.IsCancellationRequested)
        {
            var lived = Stopwatch.StartNew();
            using CellProcess? process = TryStart(command, log, number, pause, tell);

            if (process is null)
            {
                await Task.WhenAny(Task.Delay(pause, this.ending.Token));
                pause = Min(pause + pause, LongestPause);
                continue;
            }

            if (await Task.WhenAny(process.Exit, Task.Delay(Timeout.Infinite, this.ending.Token)) != process.Exit)
            {
                process.RequestStop();
                await Task.WhenAny(process.Exit, Task.Delay(EndPatience));
                process.Kill();
                return;
            }

            pause = lived.Elapsed >= Settled ? ShortestPause : Min(pause + pause, LongestPause);
            string words = CellExit.IsKill(await process.Exit) ? "" : process.LastWords();
            tell($"worker {number} (process {process.Id}) ended with exit code {await process.Exit} and starts again in {Seconds(pause)} s{(words.Length > 0 ? $": {words}" : "")} (all that it printed: {log})");
            await Task.WhenAny(Task.Delay(pause, this.ending.Token));
        }
    }

    /// <summary>Null when the machine has no room for another process now; that is said.</summary>
    private static CellProcess? TryStart(string[] command, string log, int number, TimeSpan pause, Action<string> tell)
    {
        try
        {
            return CellProcess.Start(command, log);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or Win32Exception)
        {
            tell($"worker {number} cannot be started: {problem.Message}; it is tried again in {Seconds(pause)} s");
            return null;
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
