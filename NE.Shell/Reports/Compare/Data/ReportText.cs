using System.Globalization;
using System.Text;
using System.Xml;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Text of others, such as the names in a file, before it is shown.</summary>
public static class ReportText
{
    /// <summary>A text that SVG and HTML can hold: XML has no place for most control characters, nor for half a pair of surrogates.</summary>
    public static string Valid(string text) =>
        text.All(XmlConvert.IsXmlChar) ? text : string.Concat(text.EnumerateRunes().Select(rune => (IsValid(rune) ? rune : Rune.ReplacementChar).ToString()));

    /// <summary>A name that may be as long as a cycle of tasks, for a place with room for so many letters. What is read as one letter stays whole.</summary>
    public static string Shortened(string name, int most)
    {
        int[] letters = StringInfo.ParseCombiningCharacters(name);
        return letters.Length > most ? name[..letters[most]] + "..." : name;
    }

    /// <summary>Beyond the first plane every character is one of XML.</summary>
    private static bool IsValid(Rune rune) => !rune.IsBmp || XmlConvert.IsXmlChar((char)rune.Value);
}
