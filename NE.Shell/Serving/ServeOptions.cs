using System.Net;
using NE.Shell.Serving.Data;

namespace NE.Shell.Serving;

/// <summary>Who may look at a page, and what they may do.</summary>
/// <param name="Address">Where the page listens.</param>
/// <param name="Port">0 for any that is free.</param>
/// <param name="Token">What a browser must show; null where only this machine can ask, and only look.</param>
/// <param name="Control">Whether runs may be stopped and resumed from the page.</param>
public sealed record ServeOptions(IPAddress Address, int Port, string? Token, bool Control)
{
    /// <summary>The machines to show; null for none.</summary>
    internal IFleetSource? Fleet { get; init; }
}
