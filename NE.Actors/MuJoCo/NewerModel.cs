using System.Text.RegularExpressions;

namespace NE.Actors.MuJoCo;

/// <summary>What to do about a model that this library refuses because it was written for a newer one.</summary>
internal static partial class NewerModel
{
    /// <summary>A sentence to follow MuJoCo's own text; empty where it is about something else.</summary>
    /// <param name="error">MuJoCo's text.</param>
    /// <param name="layout">Of the library.</param>
    /// <param name="plugins">That lie beside it.</param>
    internal static string Advice(string error, MuJoCoLayout layout, IReadOnlyList<MuJoCoPlugin> plugins)
    {
        var version = layout.VersionName;
        if (!layout.IsThree && error.Contains("autolimits", StringComparison.Ordinal))
        {
            return $" The library here is MuJoCo {version}; newer ones assume <compiler autolimits=\"true\"/>, so put that into the model.";
        }

        if (layout.IsThree && error.Contains("plugin", StringComparison.OrdinalIgnoreCase))
        {
            string[] open = [.. plugins.Where(plugin => plugin.Problem is null).Select(plugin => plugin.Name)], broken = [.. plugins.Select(plugin => plugin.Problem).OfType<string>()];
            return $" Plugin libraries beside this MuJoCo {version} that are open: {(open.Length == 0 ? "none" : string.Join(", ", open))}"
                + $"{string.Concat(broken.Select(problem => $"; not to be opened: {problem}"))}.";
        }

        if (Refused(error) is not { } what)
        {
            return "";
        }

        var remedy = layout.IsThree
            ? $"MUJOCO_PATH may name another one (known: {MuJoCoLayouts.KnownNames})."
            : $"Leave it out, or say it as {version} does (its reference: the XML chapter of MuJoCo's documentation), or let MUJOCO_PATH name a library of MuJoCo 3 (docs/environments.md).";
        return $" The library here is MuJoCo {version}, which does not know {what}: it is misspelt, or newer than this library. {remedy}";
    }

    private static string? Refused(string error)
    {
        var element = Element().Match(error) is { Success: true } at ? $"<{at.Groups[1].Value}>" : "the element";
        return error.Contains("unrecognized element", StringComparison.Ordinal) ? $"the element {element}"
            : Attribute().Match(error) is { Success: true } attribute ? $"the attribute {attribute.Groups[1].Value} of {element}"
            : Keyword().Match(error) is { Success: true } keyword ? $"the keyword {keyword.Groups[1].Value} in {element}"
            : null;
    }

    [GeneratedRegex("Element '([^']*)'")]
    private static partial Regex Element();

    [GeneratedRegex("unrecognized attribute: '([^']*)'")]
    private static partial Regex Attribute();

    [GeneratedRegex("invalid keyword: '([^']*)'")]
    private static partial Regex Keyword();
}
