namespace NE.Actors.Video;

/// <summary>Text in a frame: a title at the top if it fits, and below it items that flow into lines at the bottom, on darkened ground.</summary>
public static class Caption
{
    /// <summary>Rows of a frame per pixel of a dot: 84 and 240 rows have small letters, 480 rows twice as large ones.</summary>
    private const int RowsPerScale = 200;

    private const string Gap = "  ";

    /// <summary>Draws the text into the frame [height x width x 3].</summary>
    public static void Draw(Span<byte> rgb, VideoSize size, string title, IReadOnlyList<string> items)
    {
        var scale = Math.Max(1, size.Height / RowsPerScale);
        var columns = Math.Max(1, (size.Width - scale) / (scale * PixelFont.Advance));
        var lineHeight = scale * PixelFont.LineHeight;
        var lines = Flow(items, columns);
        var top = Math.Max(0, size.Height - (lines.Count * lineHeight) - scale);
        Darken(rgb, size, top, size.Height);
        Write(rgb, size, top + scale, scale, lines);
        if (title.Length <= columns && top >= 2 * lineHeight)
        {
            Darken(rgb, size, 0, lineHeight + scale);
            Write(rgb, size, scale, scale, [title]);
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

    private static void Write(Span<byte> rgb, VideoSize size, int top, int scale, IReadOnlyList<string> lines)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            PixelFont.Draw(rgb, size, scale, top + (i * scale * PixelFont.LineHeight), scale, lines[i]);
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
