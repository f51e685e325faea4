using System.Text.RegularExpressions;

namespace NE.Actors.MuJoCo;

/// <summary>What to do about a model that this library refuses because it was written for a newer one.</summary>
internal static partial class NewerModel
{
    /// <summary>A sentence to follow MuJoCo's own text; empty where it is about something else.</summary>
    /// <param name="error">MuJoCo's text.</param>
    /// <param name="version">Of the library, such as 2.2.2.</param>
    internal static string Advice(string error, string version)
    {
        if (error.Contains("autolimits", StringComparison.Ordinal))
        {
            return $" The library here is MuJoCo {version}; newer ones assume <compiler autolimits=\"true\"/>, so put that into the model.";
        }

        if (Refused(error) is not { } what)
        {
            return "";
        }

        return $" The library here is MuJoCo {version}, which does not know {what}: it is misspelt, or newer than this library, and ne works with {version} only. "
            + $"Leave it out, or say it as {version} does (its reference: the XML chapter of MuJoCo's documentation).";
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
