namespace NE.Actors.Video;

/// <summary>Text in a frame, on darkened ground: items that flow into lines at the bottom, and a heading at the top where there is room for it.</summary>
public static class Caption
{
    /// <summary>Rows of a frame per pixel of a dot: 84 and 240 rows have small letters, 480 rows twice as large ones.</summary>
    private const int RowsPerScale = 200;

    /// <summary>A heading takes this share of a frame at most.</summary>
    private const int LeastFramePerHeading = 6;

    private const string Gap = "  ";

    /// <summary>Draws the text into the frame [height x width x 3].</summary>
    public static void Draw(Span<byte> rgb, VideoSize size, IReadOnlyList<string> heading, IReadOnlyList<string> items)
    {
        var scale = Math.Max(1, size.Height / RowsPerScale);
        var columns = Math.Max(1, (size.Width - scale) / (scale * PixelFont.Advance));
        var lines = Flow(items, columns);
        var top = Math.Max(0, size.Height - Height(lines, scale));
        Write(rgb, size, top, size.Height - top, scale, lines);
        var title = Flow(heading, columns);
        var titleHeight = Height(title, scale);
        if (LeastFramePerHeading * titleHeight <= size.Height && title.All(line => line.Length <= columns))
        {
            Write(rgb, size, 0, titleHeight, scale, title);
        }
    }

    /// <summary>As many items in a line as fit; an item alone in its line may be too long for it.</summary>
    internal static IReadOnlyList<string> Flow(IReadOnlyList<string> items, int columns)
    {
        var lines = new List<string>();
        foreach (var item in items)
        {
            if (lines.Count > 0 && lines[^1].Length + Gap.Length + item.Length <= columns)
            {
                lines[^1] += Gap + item;
            }
            else
            {
                lines.Add(item);
            }
        }

        return lines;
    }

    private static int Height(IReadOnlyList<string> lines, int scale) => scale * ((lines.Count * PixelFont.LineHeight) + 1);

    private static void Write(Span<byte> rgb, VideoSize size, int top, int height, int scale, IReadOnlyList<string> lines)
    {
        Darken(rgb, size, top, top + height);
        for (var i = 0; i < lines.Count; i++)
        {
            PixelFont.Draw(rgb, size, scale, top + (scale * (1 + (i * PixelFont.LineHeight))), scale, lines[i]);
        }
    }

    /// <summary>Takes three quarters of the light from the rows, so that white letters can be read on anything.</summary>
    private static void Darken(Span<byte> rgb, VideoSize size, int from, int to)
    {
        foreach (ref var value in rgb[(3 * from * size.Width)..(3 * Math.Min(to, size.Height) * size.Width)])
        {
            value = (byte)(value / 4);
        }
    }
}
