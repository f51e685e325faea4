using System.Buffers.Binary;
using System.IO.Compression;

namespace NE.Actors.Video;

/// <summary>
/// An animated PNG (W3C PNG, third edition), for machines without ffmpeg: lossless, played by every browser. Each frame goes to the file
/// at once, as the rectangle that differs from the frame before, so that memory does not grow with the length of the video.
/// </summary>
/// <remarks>Written here because no library at hand does: SkiaSharp encodes no animation, and Magick.NET leaves animated PNGs to ffmpeg and
/// keeps every frame of its other animations in memory (30 MB of native code beside).</remarks>
internal sealed class AnimatedPng : IVideoFile
{
    /// <summary>Units of a second in which 1/60, 1/50 and 1/1000 are whole.</summary>
    private const int FinestUnit = 60_000;

    private readonly string path;
    private readonly string partial;
    private readonly VideoSize size;
    private readonly FileStream file;
    private readonly PngChunks chunks;
    private readonly PngFilter filter;
    private readonly byte[] previous;
    private readonly (ushort Numerator, ushort Denominator) delay;
    private readonly long framesAt;
    private uint sequence;
    private bool finished;
    private bool disposed;

    public AnimatedPng(string path, VideoSize size, double secondsPerFrame)
    {
        (this.path, this.partial, this.size) = (path, path + VideoTarget.PartialSuffix, size);
        this.delay = Fraction(secondsPerFrame);
        this.previous = new byte[size.Bytes];
        this.filter = new PngFilter(size.Width);
        this.file = File.Create(this.partial);
        this.chunks = new PngChunks(this.file);
        this.chunks.Signature();
        // 8 bits per channel, RGB, deflate, adaptive filters, not interlaced.
        this.chunks.Write("IHDR"u8, [.. Big((uint)size.Width), .. Big((uint)size.Height), 8, 2, 0, 0, 0]);
        this.framesAt = this.file.Position;
        this.WriteFrameCount();
    }

    public int Frames { get; private set; }

    public void Add(ReadOnlySpan<byte> rgb)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rgb.Length, this.size.Bytes);
        var (left, top, width, height) = this.Frames == 0 ? (0, 0, this.size.Width, this.size.Height) : this.Difference(rgb);
        try
        {
            this.chunks.Write("fcTL"u8,
            [
                .. Big(this.sequence++), .. Big((uint)width), .. Big((uint)height), .. Big((uint)left), .. Big((uint)top),
                (byte)(this.delay.Numerator >> 8), (byte)this.delay.Numerator, (byte)(this.delay.Denominator >> 8), (byte)this.delay.Denominator,
                // Stays, and the next frame is put over it.
                0, 0,
            ]);
            var data = this.Compress(rgb, left, top, width, height);
            if (this.Frames == 0)
            {
                this.chunks.Write("IDAT"u8, data);
            }
            else
            {
                this.chunks.Write("fdAT"u8, [.. Big(this.sequence++), .. data]);
            }
        }
        catch (IOException error)
        {
            throw VideoTarget.Unwritable(this.path, error);
        }

        rgb.CopyTo(this.previous);
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
            this.chunks.Write("IEND"u8, []);
            this.file.Position = this.framesAt;
            this.WriteFrameCount();
            this.file.Close();
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
        try
        {
            this.file.Dispose();
        }
        catch (IOException) when (!this.finished)
        {
            // What a full disk left unwritten is given up anyway.
        }

        if (!this.finished)
        {
            File.Delete(this.partial);
        }
    }

    /// <summary>Seconds as a fraction of two 16-bit numbers, in the finest unit that has room.</summary>
    internal static (ushort Numerator, ushort Denominator) Fraction(double seconds)
    {
        var denominator = (ushort)Math.Clamp(ushort.MaxValue / seconds, 1, FinestUnit);
        return ((ushort)Math.Clamp(Math.Round(seconds * denominator), 1, ushort.MaxValue), denominator);
    }

    /// <summary>Number of frames, and 0 for playing again and again.</summary>
    private void WriteFrameCount() => this.chunks.Write("acTL"u8, [.. Big((uint)this.Frames), .. Big(0)]);

    private byte[] Compress(ReadOnlySpan<byte> rgb, int left, int top, int width, int height)
    {
        var compressed = new MemoryStream();
        using (var deflate = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            ReadOnlySpan<byte> above = [];
            for (var y = top; y < top + height; y++)
            {
                var row = rgb.Slice(3 * ((y * this.size.Width) + left), 3 * width);
                deflate.Write(this.filter.Apply(row, above));
                above = row;
            }
        }

        return compressed.ToArray();
    }

    /// <summary>The smallest rectangle outside of which nothing has changed; one pixel when nothing has at all.</summary>
    private (int Left, int Top, int Width, int Height) Difference(ReadOnlySpan<byte> rgb)
    {
        var (left, right, top, bottom) = (this.size.Width, -1, -1, -1);
        for (var y = 0; y < this.size.Height; y++)
        {
            var row = 3 * this.size.Width;
            var now = rgb.Slice(y * row, row);
            var before = this.previous.AsSpan(y * row, row);
            var same = now.CommonPrefixLength(before);
            if (same == row)
            {
                continue;
            }

            var last = row - 1;
            while (now[last] == before[last])
            {
                last--;
            }

            (top, bottom) = (top < 0 ? y : top, y);
            (left, right) = (Math.Min(left, same / 3), Math.Max(right, last / 3));
        }

        return right < 0 ? (0, 0, 1, 1) : (left, top, right - left + 1, bottom - top + 1);
    }

    private static byte[] Big(uint value)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
