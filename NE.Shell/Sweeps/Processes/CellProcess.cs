using System.Diagnostics;
using NE.Model.Fleet;
using NE.Shell.Host;
using NE.Shell.Sweeps.Cells;

namespace NE.Shell.Sweeps.Processes;

/// <summary>
/// The process of one cell. Its standard input is a pipe that ends when it is to stop, whether because the sweep asks for that or because
/// the sweep's own process is gone, however it went: the kernel closes the pipe. (A death signal of Linux would come when the *thread* that
/// started the process ends, and a signal to a process id can hit another process.)
/// </summary>
internal sealed class CellProcess : IDisposable
{
    /// <summary>The redirection is the shell's, so that the log goes on when the sweep is gone; `exec` keeps the process id.</summary>
    private const string IntoLog = "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1";

    private readonly Process process;
    private readonly string log;
    private readonly long logBegan;

    /// <summary>Its right to go on is renewed, so its input stays open until it has ended.</summary>
    private bool isLeased;

    private CellProcess(Process process, string log, long logBegan)
    {
        (this.process, this.log, this.logBegan) = (process, log, logBegan);
        this.Exit = Wait(process);
    }

    /// <summary>The exit code; 128 and the signal's number for a process that was killed.</summary>
    public Task<int> Exit { get; }

    public int Id => this.process.Id;

    /// <summary>Starts a program whose output is appended to a log.</summary>
    /// <param name="command">Program and arguments.</param>
    /// <param name="log">Its folder exists.</param>
    /// <param name="environment">Variables that it gets beside those of this process; unlike its arguments, nobody else can read them.</param>
    public static CellProcess Start(IReadOnlyList<string> command, string log, params (string Name, string Value)[] environment)
    {
        long began = File.Exists(log) ? new FileInfo(log).Length : 0;
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false };

        foreach (string word in (string[])["-c", IntoLog, "sh", log, .. command])
        {
            start.ArgumentList.Add(word);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start) ?? throw new IOException($"{command[0]} did not start");
        return new(process, log, began);
    }

    /// <summary>How it ended, with what it said last.</summary>
    public async Task<CellEnd> Ended() => new(await this.Exit, this.Id, this.LastWords());

    /// <summary>It may go on until then: see <see cref="InputEnd.WatchLease"/>.</summary>
    /// <param name="deadline">[ms] By the steady clock.</param>
    public void Renew(long deadline)
    {
        this.isLeased = true;
        this.Say(deadline.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Lets it commit and stop, for which it has as long as it is renewed.</summary>
    public void RequestStop()
    {
        if (this.isLeased)
        {
            this.Say(InputEnd.Stop);
        }
        else
        {
            this.process.StandardInput.Close();
        }
    }

    /// <summary>Ends it at once, with the programs that it started.</summary>
    public void Kill()
    {
        try
        {
            this.process.Kill(entireProcessTree: true);
        }
        catch (Exception gone) when (gone is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended by itself, or one that it started is not ours to kill.
        }
    }

    /// <summary>What it said last, on one line; for a process that has ended with an error.</summary>
    public string LastWords() => LastWordsOf.Log(this.log, this.logBegan);

    public void Dispose() => this.process.Dispose();

    private void Say(string line)
    {
        try
        {
            this.process.StandardInput.Write(line + "\n");
            this.process.StandardInput.Flush();
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            // It has ended.
        }
    }

    private static async Task<int> Wait(Process process)
    {
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
