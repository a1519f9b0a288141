import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from '../platform/config.js';
import { ConsoleFilesController } from './console-files.controller.js';
import { ConsoleFiles } from './console-files.js';
import { DevelopmentSignIn } from './development-sign-in.js';
import { ProviderSignIn } from './provider-sign-in.js';
import { SIGN_IN_WAYS, SignInController, type SignInWays } from './sign-in.controller.js';

/** The console at `/console`, and the ways to sign in there. */
@Module({})
export class ConsoleModule {
  /** @param developmentKey null when the configuration names another key */
  static serving(
    files: ConsoleFiles,
    config: Config,
    developmentKey: string | null,
  ): DynamicModule {
    const ways: SignInWays = {
      development: DevelopmentSignIn.offered(config, developmentKey),
      provider: ProviderSignIn.offered(config),
    };
    return {
      module: ConsoleModule,
      controllers: [SignInController, ConsoleFilesController],
      providers: [
        { provide: ConsoleFiles, useValue: files },
        { provide: SIGN_IN_WAYS, useValue: ways },
      ],
    };
  }
}
