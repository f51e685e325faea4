using Spectre.Console;
using Spectre.Console.Rendering;

namespace NE.Shell.Views;

/// <summary>A view with every line cut at the width of the terminal. A line that wraps takes two rows there, and a view that is drawn over itself
/// would leave the second one behind.</summary>
public sealed class Cropped(IRenderable inner) : Renderable
{
    /// <summary>Wider than any line.</summary>
    private const int Wide = 1000;

    private const string Mark = "…";

    protected override Measurement Measure(RenderOptions options, int maxWidth) => new(1, maxWidth);

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        // The last column stays free: some terminals go to the next row when it is written.
        int width = Math.Max(1, maxWidth - 1);

        foreach (SegmentLine line in Segment.SplitLines(inner.Render(options, Wide)))
        {
            foreach (Segment segment in Cut(line, width))
            {
                yield return segment;
            }

            yield return Segment.LineBreak;
        }
    }

    private static IEnumerable<Segment> Cut(SegmentLine line, int width)
    {
        // The blanks that fill a last column are no text.
        int length = string.Concat(line.Select(segment => segment.Text)).TrimEnd().GetCellWidth();
        int left = length > width ? width - 1 : length;

        foreach (Segment segment in line)
        {
            if (left <= 0)
            {
                break;
            }

            int cells = segment.CellCount();

            if (cells <= left)
            {
                yield return segment;
            }
            else if (Segment.Truncate(segment, left) is { } part)
            {
                yield return part;
            }

            left -= cells;
        }

        if (length > width)
        {
            yield return new Segment(Mark);
        }
    }
}
