using NE.Actors.Configuration;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne config show` and `ne config schema`.</summary>
internal static class ConfigVerbs
{
    public static ExitCode Show(ConfigShowCommand command, ShellHost host)
    {
        BuiltConfiguration configuration = ConfigurationBuilder.Build(command.Configuration, host.ReadFile, Environments.Problem, host.Machine);

        switch (command.Format)
        {
            case ConfigurationFormat.Yaml:
                host.Output.Write(ConfigurationWriter.Yaml(configuration.Settings));
                break;
            case ConfigurationFormat.Json:
                host.Output.Write(ConfigurationWriter.Json(configuration.Settings).ToJsonString(Json.Options) + "\n");
                break;
            default:
                Tables.Write(host, [.. ConfigurationView.Resolved(configuration)]);
                break;
        }

        return ExitCode.Ok;
    }

    public static ExitCode Schema(ConfigSchemaCommand command, ShellHost host)
    {
        if (command.Json)
        {
            host.Output.Write(ConfigurationView.SchemaJson().ToJsonString(Json.Options) + "\n");
        }
        else
        {
            Tables.Write(host, ConfigurationView.Schema());
        }

        return ExitCode.Ok;
    }
}
