using System.Diagnostics;
using System.Text;
using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Shell.Host;

namespace NE.Shell.Torture;

/// <summary>How a process ended.</summary>
/// <param name="ExitCode">128 and the number of the signal when it was killed; null when it had to be killed because it went on for too long.</param>
/// <param name="Said">What it wrote, output and errors.</param>
internal sealed record Ending(int? ExitCode, string Said)
{
    public bool IsKilled => this.ExitCode == 137;

    /// <summary>The program itself had no word for what happened to it.</summary>
    public bool IsMistake => this.Said.Contains("mistake of this program", StringComparison.Ordinal) || this.Said.Contains("Unhandled exception", StringComparison.Ordinal);
}

/// <summary>A run under attack, by the real executable.</summary>
/// <param name="executable">The words that start it.</param>
/// <param name="runs">The folder of the runs.</param>
/// <param name="name">The run's name.</param>
/// <param name="scenario">What it trains.</param>
/// <param name="surroundings">What this machine has for it.</param>
internal sealed class Victim(IReadOnlyList<string> executable, string runs, string name, Scenario scenario, Surroundings surroundings)
{
    /// <summary>How long a run may take to its end.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>Processes that end with the run's do so in less.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Settings of .NET for processes that live for seconds: code that is compiled twice, profiled first, or put on pages that are never writable and
    /// executable at once costs them a third of their work. None changes what the code computes; what the user has set stays.
    /// </summary>
    private static readonly (string Name, string Value)[] ShortLived =
        [("DOTNET_TC_QuickJitForLoops", "0"), ("DOTNET_TieredPGO", "0"), ("DOTNET_EnableWriteXorExecute", "0")];

    public RunPaths Paths { get; } = RunPaths.Of(runs, name);

    public Scenario Scenario => scenario;

    /// <summary>Whether the same run is the same bits.</summary>
    public bool IsReproducible => surroundings.IsReproducible(scenario);

    private string FleetKey => Path.Combine(runs, $"{name}.pem");

    /// <summary>Whether there is something to go on with.</summary>
    private bool HasBegun => StoredRunInfo.Exists(this.Paths);

    /// <summary>How many commits its log tells of.</summary>
    public int Commits
    {
        get
        {
            if (!File.Exists(this.Paths.Log))
            {
                return 0;
            }

            using var reader = new StreamReader(File.Open(this.Paths.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return reader.ReadToEnd().Split("Checkpoint of step {CommittedStep}: ").Length - 1;
        }
    }

    /// <summary>Starts the run, or goes on with it.</summary>
    /// <param name="fault">A fault to provoke; null for none.</param>
    /// <param name="more">More arguments of a resume.</param>
    public Started Work(string? fault = null, params string[] more) => this.HasBegun
        ? this.Start(["resume", name, "--plain", .. more], fault)
        : this.Start(["train", .. surroundings.Arguments(scenario), "--name", name], fault);

    public Ending Do(string verb, params string[] more)
    {
        using Started started = this.Start([verb, name, .. more], null);
        return started.Wait(Patience);
    }

    /// <summary>Goes on until the run is complete, or says why it is not.</summary>
    public Ending Complete(params string[] more)
    {
        using Started started = this.Work(null, more);
        return started.Wait(Patience);
    }

    /// <summary>Waits until everything that the run ever started has ended, and kills what does not.</summary>
    /// <returns>The command line of one that had to be killed; null when none had to be.</returns>
    public string? Outliving()
    {
        var watch = Stopwatch.StartNew();

        while (MarkedProcesses.Of(this.Paths.Root) is [var first, ..] left)
        {
            if (watch.Elapsed > LastPatience)
            {
                foreach ((int id, _) in left)
                {
                    Signal(id, "KILL");
                }

                return first.Command;
            }

            Thread.Sleep(50);
        }

        return null;
    }

    /// <summary>Deletes all that there is of it.</summary>
    public void Delete()
    {
        Directory.Delete(this.Paths.Root, recursive: true);
        File.Delete(this.FleetKey);
    }

    private Started Start(IReadOnlyList<string> arguments, string? fault)
    {
        var start = new ProcessStartInfo(executable[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };

        foreach (string word in (string[])[.. executable.Skip(1), .. arguments, "--runs", runs])
        {
            start.ArgumentList.Add(word);
        }

        foreach ((string setting, string value) in ShortLived)
        {
            start.Environment.TryAdd(setting, value);
        }

        start.Environment.Remove(Faults.Variable);

        if (fault is not null)
        {
            start.Environment[Faults.Variable] = fault;
        }

        // The user's own server has no part in the runs that are not about it.
        start.Environment[ShellHost.JournalVariable] = scenario.Need is Need.Server ? surroundings.Journal!.Secret : "";
        start.Environment[ShellHost.FleetKeyVariable] = this.FleetKey;
        start.Environment[MarkedProcesses.Variable] = this.Paths.Root;
        return new(Process.Start(start) ?? throw new IOException($"{executable[0]} did not start"), this.Paths.Root);
    }

    private static void Signal(int id, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{id}"]);
        kill.WaitForExit();
    }

    /// <summary>One of its processes.</summary>
    internal sealed class Started : IDisposable
    {
        private readonly Process process;
        private readonly string mark;
        private readonly StringBuilder said = new();

        public Started(Process process, string mark)
        {
            (this.process, this.mark) = (process, mark);
            process.OutputDataReceived += (_, line) => this.Hear(line.Data);
            process.ErrorDataReceived += (_, line) => this.Hear(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            process.StandardInput.Close();
        }

        public bool HasExited => this.process.HasExited;

        /// <summary>Waits for its end; a process that goes on for longer is killed.</summary>
        public Ending Wait(TimeSpan patience)
        {
            bool ended = this.process.WaitForExit(patience);

            if (!ended)
            {
                this.Signal("KILL");
            }

            this.process.WaitForExit();

            lock (this.said)
            {
                return new(ended ? this.process.ExitCode : null, this.said.ToString());
            }
        }

        /// <summary>Kills one of the processes that hold the run's environments after a time, and lets the run go on.</summary>
        /// <param name="time">After how long.</param>
        /// <param name="which">As a fraction of those that are there.</param>
        /// <returns>Whether there was one.</returns>
        public bool KillWorkerAfter(TimeSpan time, double which)
        {
            if (this.process.WaitForExit(time) || MarkedProcesses.Of(this.mark).Where(found => found.Command.Contains(" --name worker-", StringComparison.Ordinal)).ToList() is not [_, ..] workers)
            {
                return false;
            }

            Victim.Signal(workers[(int)(which * workers.Count)].Id, "KILL");
            return true;
        }

        /// <summary>Stops it after a time; null when it ended before.</summary>
        public Ending? StopAfter(TimeSpan time, Stop how)
        {
            if (this.process.WaitForExit(time))
            {
                return this.Wait(Patience);
            }

            switch (how)
            {
                case Stop.Terminate:
                    this.Signal("TERM");
                    break;
                case Stop.Freeze:
                    this.Signal("STOP");
                    Thread.Sleep(200);
                    this.Signal("CONT");
                    Thread.Sleep(20);
                    this.Signal("KILL");
                    break;
                default:
                    this.Signal("KILL");
                    break;
            }

            Ending ending = this.Wait(Patience);
            return how is Stop.Terminate ? ending : null;
        }

        public void Dispose()
        {
            this.Signal("KILL");
            this.process.WaitForExit();
            this.process.Dispose();
        }

        private void Signal(string signal)
        {
            if (!this.process.HasExited)
            {
                Victim.Signal(this.process.Id, signal);
            }
        }

        private void Hear(string? line)
        {
            lock (this.said)
            {
                this.said.AppendLine(line);
            }
        }
    }
}
