using System.Reflection;

namespace NE.Actors.Video;

/// <summary>
/// Text drawn into frames: the printable characters of ASCII as dots, 5 x 7 with two rows below the line (Glyphs.txt, drawn for this
/// program). It needs no font and no library, so frames look the same on every machine.
/// </summary>
public static class PixelFont
{
    /// <summary>Dots from one character to the next.</summary>
    public const int Advance = 6;

    /// <summary>Dots of a line's height.</summary>
    public const int LineHeight = 10;

    private const int GlyphWidth = 5;
    private const int GlyphHeight = 9;
    private const int GlyphsInRow = 16;
    private const char First = ' ';
    private const char Last = '~';

    private static readonly string[] sheet = ReadSheet();

    /// <summary>Whether the dot of a character is set; a character without a glyph looks like '?'.</summary>
    public static bool IsSet(char character, int column, int row)
    {
        var index = (character is >= First and <= Last ? character : '?') - First;
        return sheet[(index / GlyphsInRow * GlyphHeight) + row][(index % GlyphsInRow * Advance) + column] == '#';
    }

    /// <summary>Draws white text; what does not fit into the frame is cut off.</summary>
    /// <param name="rgb">The frame [height x width x 3].</param>
    /// <param name="size">Its size.</param>
    /// <param name="left">Pixel of the text's left edge.</param>
    /// <param name="top">Pixel of its upper edge.</param>
    /// <param name="scale">Pixels per dot.</param>
    public static void Draw(Span<byte> rgb, VideoSize size, int left, int top, int scale, string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            for (var row = 0; row < GlyphHeight; row++)
            {
                for (var column = 0; column < GlyphWidth; column++)
                {
                    if (IsSet(text[i], column, row))
                    {
                        Dot(rgb, size, left + (scale * ((i * Advance) + column)), top + (scale * row), scale);
                    }
                }
            }
        }
    }

    private static void Dot(Span<byte> rgb, VideoSize size, int left, int top, int scale)
    {
        var right = Math.Min(left + scale, size.Width);
        for (var y = Math.Max(0, top); y < Math.Min(top + scale, size.Height); y++)
        {
            if (left >= 0 && left < right)
            {
                rgb[(3 * ((y * size.Width) + left))..(3 * ((y * size.Width) + right))].Fill(255);
            }
        }
    }

    private static string[] ReadSheet()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("video/glyphs")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().TrimEnd('\n').Split('\n');
    }
}
