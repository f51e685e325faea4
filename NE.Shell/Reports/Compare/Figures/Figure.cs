using System.Xml.Linq;
using NE.Shell.Reports.Compare.Data;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>A figure with what it shows.</summary>
/// <param name="Id">File name without ending.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Caption">How it was made and how to read it.</param>
/// <param name="Svg">The picture; text in it is text.</param>
/// <param name="Data">The numbers that it shows.</param>
public sealed record Figure(string Id, string Title, string Caption, XElement Svg, IReadOnlyList<DataTable> Data)
{
    /// <summary>What must be read before it; null for nothing.</summary>
    public string? Warning { get; init; }
}

/// <summary>A name in the legend, with the look of its lines.</summary>
/// <param name="Text">What it is called.</param>
/// <param name="Index">See <see cref="Look"/>.</param>
/// <param name="IsReference">Whether it looks like a curve of others.</param>
public sealed record LegendItem(string Text, int Index, bool IsReference = false);
