namespace NE.Shell.Configuration;

/// <summary>Where the configuration of a command comes from, beyond the defaults.</summary>
/// <param name="Source">`--config`: a YAML file or a preset's name.</param>
/// <param name="Options">Options that stand for a key, with the option's own name for messages: (key, value, option).</param>
/// <param name="Pairs">key=value arguments, as they were typed.</param>
public sealed record ConfigurationArguments(
    string? Source,
    IReadOnlyList<(string Key, string Value, string Option)> Options,
    IReadOnlyList<string> Pairs)
{
    public static ConfigurationArguments None { get; } = new(null, [], []);

    /// <summary>`--variant`: a named set of values below all others that are given.</summary>
    public string? Variant { get; init; }

    /// <summary>What an option asks for where nothing else gives the key: (key, value, option).</summary>
    public IReadOnlyList<(string Key, string Value, string Option)> Otherwise { get; init; } = [];
}
