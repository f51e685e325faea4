using System.Diagnostics;
using System.Text;
using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;

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
internal sealed class Victim(IReadOnlyList<string> executable, string runs, string name, Scenario scenario)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    public RunPaths Paths { get; } = RunPaths.Of(runs, name);

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
        : this.Start(["train", .. scenario.Arguments, "--name", name], fault);

    public Ending Do(string verb) => this.Start([verb, name], null).Wait(Patience);

    /// <summary>Goes on until the run is complete, or says why it is not.</summary>
    public Ending Complete(params string[] more) => this.Work(null, more).Wait(Patience);

    private Started Start(IReadOnlyList<string> arguments, string? fault)
    {
        var start = new ProcessStartInfo(executable[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };

        foreach (string word in (string[])[.. executable.Skip(1), .. arguments, "--runs", runs])
        {
            start.ArgumentList.Add(word);
        }

        start.Environment.Remove(Faults.Variable);

        if (fault is not null)
        {
            start.Environment[Faults.Variable] = fault;
        }

        return new(Process.Start(start) ?? throw new IOException($"{executable[0]} did not start"));
    }

    /// <summary>One of its processes.</summary>
    internal sealed class Started : IDisposable
    {
        private readonly Process process;
        private readonly StringBuilder said = new();

        public Started(Process process)
        {
            this.process = process;
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
                using var kill = Process.Start("kill", [$"-{signal}", $"{this.process.Id}"]);
                kill.WaitForExit();
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
