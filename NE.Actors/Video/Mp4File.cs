using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace NE.Actors.Video;

/// <summary>An H.264 MP4, made by an ffmpeg process that reads raw frames from its standard input.</summary>
/// <remarks>FFMpegCore is not used: it pulls frames from a pool thread through a named pipe, while a frame is drawn on the one thread
/// that owns the OpenGL context and pushed from there.</remarks>
internal sealed class Mp4File : IVideoFile
{
    /// <summary>ffmpeg ends with this when a signal, such as Ctrl-C in the same terminal, stopped it.</summary>
    private const int StoppedBySignal = 255;

    /// <summary>Lines of ffmpeg's complaint that are kept.</summary>
    private const int KeptLines = 4;

    private readonly string path;
    private readonly string partial;
    private readonly VideoSize size;
    private readonly Process process;
    private readonly Queue<string> complaint = new();
    private bool finished;
    private bool disposed;

    public Mp4File(VideoTarget target, string ffmpeg, double secondsPerFrame)
    {
        (this.path, this.partial, this.size) = (target.Path, target.Path + VideoTarget.PartialSuffix, target.Size);
        // ffmpeg would say less about a folder that is read-only.
        using (File.Create(this.partial))
        {
        }

        var start = new ProcessStartInfo(ffmpeg, Arguments(target, secondsPerFrame, this.partial)) { RedirectStandardInput = true, RedirectStandardError = true };
        try
        {
            this.process = Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            File.Delete(this.partial);
            throw new VideoException($"{ffmpeg} could not be started: {error.Message}", error);
        }

        this.process.ErrorDataReceived += (_, line) => this.Keep(line.Data);
        this.process.BeginErrorReadLine();
    }

    public int Frames { get; private set; }

    public void Add(ReadOnlySpan<byte> rgb)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rgb.Length, this.size.Bytes);
        try
        {
            this.process.StandardInput.BaseStream.Write(rgb);
        }
        catch (IOException)
        {
            // It ended early, and has said why.
            this.process.WaitForExit();
            throw this.Failure();
        }

        this.Frames++;
    }

    public void Finish()
    {
        if (this.Frames == 0)
        {
            throw new VideoException($"The video {this.path} has no frame.");
        }

        try
        {
            this.process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Its exit code says what happened.
        }

        this.process.WaitForExit();
        if (this.process.ExitCode != 0)
        {
            throw this.Failure();
        }

        try
        {
            File.Move(this.partial, this.path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw VideoTarget.Unwritable(this.path, error);
        }

        this.finished = true;
    }

    public void Dispose()
    {
        if (this.disposed)
        {
            return;
        }

        this.disposed = true;
        if (!this.finished)
        {
            this.process.Kill();
            this.process.WaitForExit();
            File.Delete(this.partial);
        }

        this.process.Dispose();
    }

    private static string[] Arguments(VideoTarget target, double secondsPerFrame, string output) =>
    [
        "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", target.Size.ToString(),
        "-framerate", (1 / secondsPerFrame).ToString("R", CultureInfo.InvariantCulture), "-i", "pipe:0",
        // Players want yuv420p, whose colours are shared by 2 x 2 pixels: an odd side gets one more row or column.
        "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p",
        "-threads", target.Threads.ToString(CultureInfo.InvariantCulture),
        // The index goes to the front, so that a browser plays while it loads.
        // A name may begin with a '-', as options do, or with letters and a ':', as protocols do.
        "-movflags", "+faststart", "-f", "mp4", $"file:{Path.GetFullPath(output)}",
    ];

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        lock (this.complaint)
        {
            this.complaint.Enqueue(line.Trim());
            if (this.complaint.Count > KeptLines)
            {
                this.complaint.Dequeue();
            }
        }
    }

    private VideoException Failure()
    {
        if (this.process.ExitCode == StoppedBySignal)
        {
            return new VideoException($"ffmpeg was stopped by a signal before {this.path} was complete.") { IsInterruption = true };
        }

        lock (this.complaint)
        {
            var said = this.complaint.Count == 0 ? $"it ended with exit code {this.process.ExitCode} and said nothing" : string.Join(" / ", this.complaint);
            return new VideoException($"ffmpeg could not write {this.path}: {said}");
        }
    }
}
