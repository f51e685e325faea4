using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text;

namespace NE.Actors.Environments.External;

/// <summary>A child process that answers frames. Every wait is bounded; after the first failure the process and its descendants are killed and
/// nothing more is sent. It leads a session of its own where that can be had (`ProcessGroup`). Used by one thread at a time, except that `Dispose`
/// may be called by any: it ends a wait of another thread.</summary>
internal sealed class ChildProcess : IDisposable
{
    /// <summary>What a Linux pipe takes without blocking once it says that it takes something.</summary>
    private const int SafeWrite = 4096;

    /// <summary>Bytes of what the child says about a failure that go into a message.</summary>
    private const int LongestReason = 2000;

    /// <summary>Bytes that are shown of what should not be there.</summary>
    private const int LongestQuote = 32;

    private static readonly TimeSpan closePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan lastWords = TimeSpan.FromMilliseconds(500);

    /// <summary>A program that has closed its pipes is about to end, however busy the machine: its exit code is worth the wait, which a stop ends.</summary>
    private static readonly TimeSpan endPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan endLook = TimeSpan.FromMilliseconds(100);

    private readonly string command;
    private readonly CancellationToken stopping;
    private readonly Process process;
    private readonly bool leads;
    private readonly Stream input;
    private readonly Stream output;
    private readonly SafeHandle inputPipe;
    private readonly SafeHandle outputPipe;
    private readonly LastLines errors;
    private readonly Lock killing = new();
    private byte[] sent = new byte[256];
    private byte[] received = new byte[256];
    private int busy;
    private int disposed;
    private bool failed;

    /// <summary>Starts the process. Throws EnvironmentUnusableException when there is no such program.</summary>
    /// <param name="words">The program and its arguments.</param>
    /// <param name="stopping">Ends every wait.</param>
    /// <param name="log">Gets each line of the child's standard error.</param>
    internal ChildProcess(IReadOnlyList<string> words, CancellationToken stopping, Action<string>? log)
    {
        this.command = CommandWords.Join(words);
        this.stopping = stopping;
        try
        {
            (this.process, this.leads) = ProcessGroup.Start(words);
        }
        catch (Win32Exception problem)
        {
            throw new EnvironmentUnusableException($"The external environment '{this.command}' cannot be started: {problem.Message}", problem);
        }

        this.input = this.process.StandardInput.BaseStream;
        this.output = this.process.StandardOutput.BaseStream;
        (this.inputPipe, this.outputPipe) = (Pipe(this.input), Pipe(this.output));
        var errors = this.process.StandardError.BaseStream;
        this.errors = new LastLines(errors, Pipe(errors), words[0], log);
    }

    /// <summary>The process's number.</summary>
    internal int Id => this.process.Id;

    /// <summary>Memory for the payload of the next request.</summary>
    internal Span<byte> Request(int size)
    {
        if (this.sent.Length < Protocol.FrameHeader + size)
        {
            this.sent = new byte[Protocol.FrameHeader + size];
        }

        return this.sent.AsSpan(Protocol.FrameHeader, size);
    }

    /// <summary>Sends what is in `Request` and returns the payload of the answer, valid until the next exchange. Throws ExternalEnvironmentException.</summary>
    internal ReadOnlySpan<byte> Exchange(Message request, int size, Message expected, TimeSpan patience)
    {
        ObjectDisposedException.ThrowIf(this.disposed != 0, this);
        if (this.failed)
        {
            throw new ExternalEnvironmentException($"The external environment '{this.command}' has failed before; it must be started anew.");
        }

        Interlocked.Exchange(ref this.busy, 1);
        try
        {
            this.RequireSilence(request);
            var deadline = PipeWait.Deadline(patience);
            this.Send(request, size, deadline, patience);
            var answer = this.Receive(request, deadline, patience);
            return answer[0] == (byte)expected ? answer[1..]
                : answer[0] == (byte)Message.Failed ? throw this.Failure($"it could not do {request}: {Reason(answer[1..])}", isExplained: true)
                : throw this.Failure($"expected {expected} as the answer to {request}, found a message of type 0x{answer[0]:x2}");
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            throw this.disposed != 0
                ? new ObjectDisposedException(nameof(ChildProcess), $"The external environment '{this.command}' was closed while it worked.")
                : this.Failure(this.Ended(request));
        }
        finally
        {
            Interlocked.Exchange(ref this.busy, 0);
        }
    }

    /// <summary>The failure that a wrong answer is; the child is killed.</summary>
    /// <param name="what">What is wrong, without a full stop.</param>
    /// <param name="isExplained">The child said why, so that the last line of its standard error would say it again.</param>
    internal ExternalEnvironmentException Failure(string what, bool isExplained = false)
    {
        this.failed = true;
        this.Kill();
        var text = this.errors.Text(lastWords);
        var last = text.Length == 0 ? " It wrote nothing to its standard error." : $" The last line of its standard error: {text[(text.LastIndexOf('\n') + 1)..].Trim()}";
        return new ExternalEnvironmentException($"The external environment '{this.command}' failed: {what}.{(isExplained ? "" : last)}", text);
    }

    /// <summary>Asks an idle child to end and kills what is left of it.</summary>
    public void Dispose()
    {
        if (this.disposed != 0)
        {
            return;
        }

        if (Interlocked.CompareExchange(ref this.busy, 1, 0) == 0)
        {
            if (!this.failed && this.AskToEnd())
            {
                var since = Stopwatch.StartNew();
                if (this.process.WaitForExit(closePatience) && this.leads)
                {
                    ProcessGroup.WaitForEnd(this.process.Id, closePatience - since.Elapsed);
                }
            }

            Interlocked.Exchange(ref this.busy, 0);
        }

        Interlocked.Exchange(ref this.disposed, 1);
        this.Kill();
        this.input.Dispose();
        this.output.Dispose();
        this.errors.End(lastWords);
    }

    private static SafeHandle Pipe(Stream stream) => stream switch
    {
        PipeStream pipe => pipe.SafePipeHandle,
        FileStream file => file.SafeFileHandle,
        _ => throw new NotSupportedException($"A child's pipe is a {stream.GetType().Name} in this version of .NET."),
    };

    /// <summary>Without the run's cancellation: this is what follows it.</summary>
    private bool AskToEnd()
    {
        try
        {
            var deadline = PipeWait.Deadline(closePatience);
            BinaryPrimitives.WriteInt32LittleEndian(this.sent, 1);
            this.sent[4] = (byte)Message.Close;
            if (PipeWait.ForWriting(this.inputPipe, deadline, () => false) != PipeWait.Outcome.Ready)
            {
                return false;
            }

            this.input.Write(this.sent, 0, Protocol.FrameHeader);
            this.input.Flush();
            return PipeWait.ForReading(this.outputPipe, deadline, () => false) == PipeWait.Outcome.Ready;
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>An answer that nobody asked for would be taken for the next one, and so on to the end of the run. What a program says before a Hello is
    /// read as its answer, which tells what it is.</summary>
    private void RequireSilence(Message request)
    {
        if (request == Message.Hello || PipeWait.Look(this.outputPipe) is not (HasBytes: true, var isOpen))
        {
            return;
        }

        throw this.Failure(isOpen ? this.Surplus(request) : this.Ended(request));
    }

    private string Surplus(Message request)
    {
        var read = this.output.Read(this.received, 0, LongestQuote);
        return $"expected no bytes before {request} was sent, found bytes that answer nothing ({Quoted(this.received.AsSpan(0, read))}); "
            + "one frame answers each request, and nothing but frames may be written to standard output";
    }

    private void Send(Message request, int size, long deadline, TimeSpan patience)
    {
        BinaryPrimitives.WriteInt32LittleEndian(this.sent, size + 1);
        this.sent[4] = (byte)request;
        try
        {
            for (var at = 0; at < Protocol.FrameHeader + size; at += SafeWrite)
            {
                this.Require(PipeWait.ForWriting(this.inputPipe, deadline, this.IsCancelled), $"expected it to read {request}", patience);
                this.input.Write(this.sent, at, Math.Min(SafeWrite, Protocol.FrameHeader + size - at));
            }

            this.input.Flush();
        }
        catch (IOException)
        {
            // It reads no more; what it wrote last, or how it ended, explains more than this.
        }
    }

    /// <summary>The type and payload of the next frame.</summary>
    private ReadOnlySpan<byte> Receive(Message request, long deadline, TimeSpan patience)
    {
        this.Fill(sizeof(int), request, deadline, patience);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(this.received);
        if (length is 0 or > Protocol.LongestFrame)
        {
            throw this.Failure(
                $"expected a frame of 1 to {Protocol.LongestFrame} bytes as the answer to {request}, found a length of {length} "
                + $"({Quoted(this.received.AsSpan(0, sizeof(int)))}); nothing but frames may be written to standard output");
        }

        this.Fill((int)length, request, deadline, patience);
        return this.received.AsSpan(0, (int)length);
    }

    private void Fill(int count, Message request, long deadline, TimeSpan patience)
    {
        if (this.received.Length < count)
        {
            this.received = new byte[count];
        }

        for (var at = 0; at < count;)
        {
            this.Require(PipeWait.ForReading(this.outputPipe, deadline, this.IsCancelled), $"expected an answer to {request}", patience);
            var read = this.output.Read(this.received, at, count - at);
            if (read == 0)
            {
                throw this.Failure(this.Ended(request));
            }

            at += read;
        }
    }

    private bool IsCancelled() => this.stopping.IsCancellationRequested || this.disposed != 0;

    private void Require(PipeWait.Outcome outcome, string what, TimeSpan patience)
    {
        switch (outcome)
        {
            case PipeWait.Outcome.TimedOut:
                throw this.Failure(
                    $"{what} within {patience.TotalSeconds:0.###} s, found none (keys external.startTimeout and external.stepTimeout); it was killed");
            case PipeWait.Outcome.Cancelled:
                this.failed = true;
                this.Kill();
                throw new OperationCanceledException($"The external environment '{this.command}' was stopped while it worked.");
        }
    }

    private string Ended(Message request)
    {
        var deadline = PipeWait.Deadline(endPatience);
        bool left;
        do
        {
            left = this.process.WaitForExit(endLook);
        }
        while (!left && !this.IsCancelled() && Stopwatch.GetTimestamp() < deadline);

        return $"expected an answer to {request}, but the process {(left ? $"ended with exit code {this.process.ExitCode}" : "closed its standard input or output")}";
    }

    private void Kill()
    {
        lock (this.killing)
        {
            try
            {
                this.process.Kill(entireProcessTree: true);
            }
            catch (Exception problem) when (problem is InvalidOperationException or Win32Exception or AggregateException)
            {
                // It has ended already, or a descendant is not ours to kill.
            }

            if (this.leads)
            {
                // What a process that has ended left behind is nobody's child.
                ProcessGroup.Kill(this.process.Id, this.process.HasExited);
            }
        }
    }

    /// <summary>What the child says about a failure, on one line and of a length that a log can take.</summary>
    private static string Reason(ReadOnlySpan<byte> text)
    {
        var kept = Math.Min(text.Length, LongestReason);
        while (kept > 0 && kept < text.Length && (text[kept] & 0b1100_0000) == 0b1000_0000)
        {
            // In the middle of a letter.
            kept--;
        }

        var lines = Encoding.UTF8.GetString(text[..kept]).Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var rest = kept == text.Length ? "" : $" ... ({text.Length - kept} more bytes)";
        return string.Join(' ', lines) + rest;
    }

    private static string Quoted(ReadOnlySpan<byte> bytes) =>
        $"bytes {Convert.ToHexStringLower(bytes)}, as text '{string.Concat(bytes.ToArray().Select(letter => letter is >= 32 and < 127 ? (char)letter : '.'))}'";
}
