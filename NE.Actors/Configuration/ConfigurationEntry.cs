namespace NE.Actors.Configuration;

/// <summary>One value given for one key.</summary>
/// <param name="Key">section.name</param>
/// <param name="Value">The value as text; lists are joined by commas.</param>
/// <param name="Where">Where it was given, for messages: "my.yaml:12", "--seed", "ne.omega=2".</param>
public sealed record ConfigurationEntry(string Key, string Value, string Where);

/// <summary>One problem of a configuration.</summary>
/// <param name="Where">Where the value was given; empty when it comes from the combination of values.</param>
/// <param name="Text">What was found and what is expected.</param>
public sealed record ConfigurationProblem(string Where, string Text)
{
    public override string ToString() => Where.Length == 0 ? Text : $"{Where}: {Text}";
}
