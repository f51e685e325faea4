using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NE.Actors.Hosting;

/// <summary>Runs as services of a Generic Host.</summary>
public static class TrainingServices
{
    /// <summary>
    /// Trains a run while the host works, as a <see cref="TrainingService"/> whose key is the run's name, with a health check called "training NAME" and
    /// the tag "training". May be called for several runs.
    /// </summary>
    /// <param name="services">Of the host.</param>
    /// <param name="training">The run.</param>
    public static IServiceCollection AddTraining(this IServiceCollection services, HostedTraining training)
    {
        services.AddKeyedSingleton(training.Name, (provider, _) => new TrainingService(
            training, provider.GetRequiredService<ILogger<TrainingService>>(), provider.GetRequiredService<IHostApplicationLifetime>()));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<TrainingService>(training.Name));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            $"training {training.Name}", provider => provider.GetRequiredKeyedService<TrainingService>(training.Name), failureStatus: null, tags: ["training"]));
        return services;
    }
}
