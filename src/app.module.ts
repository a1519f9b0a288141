import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { AuthModule } from './auth/auth.module.js';
import type { VerificationKey } from './auth/keys/verification-key.js';
import { ComputeModule } from './compute/compute.module.js';
import type { TaskCatalogue } from './compute/catalogue/task-catalogue.js';
import { UnknownPathController } from './platform/http/unknown-path.controller.js';
import { PlatformModule, type PlatformParts } from './platform/platform.module.js';
import { CONSOLE_SERVED, RootController } from './root.controller.js';

export interface AppParts extends PlatformParts {
  readonly key: VerificationKey;
  readonly catalogue: TaskCatalogue;
  /** Absent: the console is not served. */
  readonly console?: DynamicModule;
}

/** The composition root: which modules make up a replica of the configured role. */
@Module({})
export class AppModule {
  static forRoot(parts: AppParts): DynamicModule {
    const { config, key, catalogue } = parts;
    return {
      module: AppModule,
      imports: [
        ScheduleModule.forRoot(),
        PlatformModule.forRoot(parts),
        AuthModule.forRoot(key),
        ComputeModule.forRole(config.ROLE, catalogue),
        ...(parts.console === undefined ? [] : [parts.console]),
      ],
      controllers: [RootController, UnknownPathController],
      providers: [{ provide: CONSOLE_SERVED, useValue: parts.console !== undefined }],
    };
  }
}
