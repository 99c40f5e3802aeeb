#pragma once

// Documentation, ranges and checks of the settings (server/config.h), by subject.
#include "server/config_rules_front.h"
#include "server/config_rules_storage.h"
#include "server/config_rules_work.h"
