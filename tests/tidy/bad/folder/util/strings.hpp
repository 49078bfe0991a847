#pragma once  // refused
