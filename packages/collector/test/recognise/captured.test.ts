import { expect, test } from 'vitest';
import { fixtureNames, readFixture } from '../support/captured.ts';

test.each(fixtureNames())(
  '%s says what sent it, in which version, by which command, and when',
  name => {
    const { package: sender, version, command, date } = readFixture(name).header;
    expect(sender).toMatch(/\S/);
    expect(version).toMatch(/^\d+\.\d+/);
    expect(command).toMatch(/\S/);
    expect(date).toMatch(/^20\d\d-\d\d-\d\d$/);
  },
);
